# Sendmail with Cyrus SASL (sasldb).
add_user smmta 4401 /var/lib/sendmail
add_user smmsp 4402 /var/lib/sendmail
add_group mail 8
add_group sasl 45
mkdir -p /etc/mail/tls /etc/mail/sasl /etc/mail/smrsh /var/spool/mqueue /run/sendmail/mta /var/run/sendmail/mta /var/lib/sendmail
chown smmta /var/spool/mqueue /run/sendmail/mta
chmod 700 /var/spool/mqueue
for file in good.key good.chain.pem; do install -m 600 "$PKI/$file" "/etc/mail/tls/$file"; done
# It reads one certificate from its own file, and completes the chain from its trusted ones.
cat "$PKI/good.chain.pem" "$PKI/ca.pem" > /etc/mail/tls/ca.pem
chmod 644 /etc/mail/tls/*.pem

mechanisms='PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256'
for directory in /etc/sasl2 /usr/lib/sasl2 /usr/lib/*-linux-gnu/sasl2 /etc/mail/sasl; do
  mkdir -p "$directory"
  printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: %s\nsasldb_path: /etc/sasldb2\n' "$mechanisms" \
    | tee "$directory/Sendmail.conf" > "$directory/Sendmail.conf.2"
done
printf '%s' "$LAB_PASSWORD" | saslpasswd2 -p -c -f /etc/sasldb2 -u "$HOST" "$LAB_USER"
printf '%s' "$LAB_PASSWORD" | saslpasswd2 -p -c -f /etc/sasldb2 -u "$DOMAIN" "$LAB_USER"
chown smmta /etc/sasldb2
chmod 600 /etc/sasldb2

printf '%s\n%s\n' "$DOMAIN" "$HOST" > /etc/mail/local-host-names
printf 'root: /dev/null\n' > /etc/mail/aliases
# Without this it asks DNS about local users and answers 4.4.3 to everybody.
printf 'passwd files\nhosts files\naliases files\n' > /etc/mail/switch.lab
printf '%s\t%s\n' \
  From:blocked.example "ERROR:5.7.1:550 sender domain blocked" \
  "To:grey@$DOMAIN" "ERROR:4.2.0:450 Greylisted, try again later" \
  "To:full@$DOMAIN" "ERROR:4.2.2:452 mailbox full" \
  "To:big@$DOMAIN" "ERROR:5.2.2:552 over quota" \
  "To:bounce421@$DOMAIN" "ERROR:4.7.0:421 too many errors" > /etc/mail/access

cf=/usr/share/sendmail/cf
cat > /etc/mail/sendmail.mc <<CONF
divert(-1)
include(\`$cf/m4/cf.m4')dnl
VERSIONID(\`lab')dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`$HOST')dnl
define(\`confCACERT_PATH', \`/etc/mail/tls')dnl
define(\`confCACERT', \`/etc/mail/tls/ca.pem')dnl
define(\`confSERVER_CERT', \`/etc/mail/tls/good.chain.pem')dnl
define(\`confSERVER_KEY', \`/etc/mail/tls/good.key')dnl
define(\`confTLS_SRV_OPTIONS', \`V')dnl
define(\`confAUTH_MECHANISMS', \`$mechanisms')dnl
TRUST_AUTH_MECH(\`$mechanisms')dnl
define(\`confAUTH_OPTIONS', \`A p y')dnl
define(\`confMAX_MESSAGE_SIZE', \`10240000')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confPID_FILE', \`/run/sendmail/mta/sendmail.pid')dnl
define(\`STATUS_FILE', \`/var/lib/sendmail/statistics')dnl
define(\`ALIAS_FILE', \`/etc/mail/aliases')dnl
define(\`confDONT_BLAME_SENDMAIL', \`GroupWritableDirPathSafe,GroupReadableKeyFile,GroupReadableSASLDBFile,GroupWritableAliasFile')dnl
define(\`confTRUSTED_USER', \`smmta')dnl
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/switch.lab')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`use_cw_file')dnl
FEATURE(\`access_db', \`hash -o -T<TMPF> /etc/mail/access')dnl
FEATURE(\`blocklist_recipients')dnl
FEATURE(\`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MTA, Addr=$ADDRESS, Port=$MX_PORT')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MSP, Addr=$ADDRESS, Port=$SUBMISSION_PORT, M=Ea')dnl
DAEMON_OPTIONS(\`Family=inet, Name=TLS, Addr=$ADDRESS, Port=$SMTPS_PORT, M=sa')dnl
LOCAL_CONFIG
Cwlocalhost
MAILER_DEFINITIONS
MAILER(\`local')dnl
MAILER(\`smtp')dnl
CONF
m4 "-D_CF_DIR_=$cf/" /etc/mail/sendmail.mc > /etc/mail/sendmail.cf
# It relays for 127.0.0.1 and for its own names, and that is where every test comes from.
sed -i '/^SRelay_ok/,/^S[A-Z]/{/^R127\.0\.0\.1[[:space:]]/d;/^R\(<?> \)\?\$=w[[:space:]]/d}' /etc/mail/sendmail.cf

sendmail=
for candidate in /usr/libexec/sendmail /usr/lib/sm.bin; do
  if [ -x "$candidate/sendmail" ]; then sendmail=$candidate; fi
done
"$sendmail/makemap" hash /etc/mail/access < /etc/mail/access
"$sendmail/sendmail" -C /etc/mail/sendmail.cf -bi
exec "$sendmail/sendmail" -C /etc/mail/sendmail.cf -bD
