# Postfix: an MX, a submission server, and one port per oddity and per certificate.
add_user postfix 4001 /var/spool/postfix
add_group postdrop 4002
add_user postgrey 4003

cat > /etc/postfix/main.cf <<CONF
compatibility_level = 3.6
myhostname = $HOST
mydestination = $DOMAIN, $HOST, localhost
myorigin = $DOMAIN
mynetworks =
inet_interfaces = all
inet_protocols = all
smtpd_banner = \$myhostname ESMTP \$mail_name (Debian/GNU)
maillog_file = /dev/stdout
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
local_recipient_maps = proxy:unix:passwd.byname, inline:{{grey=x},{full=x},{big=x},{bounce421=x},{silent=x}}
alias_maps =
message_size_limit = 10240000
mailbox_size_limit = 0
biff = no
default_transport = discard:lab
local_transport = discard:
smtpd_tls_chain_files = $PKI/good.key, $PKI/good.chain.pem
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_session_cache_database =
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:$ADDRESS:$SASL_PORT
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, check_policy_service inet:$ADDRESS:$POLICY_PORT
smtpd_sender_restrictions = check_sender_access inline:{{blocked.example=REJECT 5.7.1 sender domain blocked},{defer.example=DEFER_IF_PERMIT 4.7.1 try later}}
smtpd_helo_required = yes
smtpd_delay_reject = no
disable_vrfy_command = no
smtputf8_enable = yes
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 200
postscreen_greet_action = enforce
postscreen_greet_wait = 2s
postscreen_cache_map =
postscreen_access_list =
postscreen_dnsbl_sites =
CONF

own='-o smtpd_delay_reject=yes -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject'
{
  cat <<CONF
$ADDRESS:$MX_PORT inet n - n - - smtpd -o smtpd_sasl_auth_enable=no
$ADDRESS:$SUBMISSION_PORT inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes $own
$ADDRESS:$SMTPS_PORT inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes $own
$ADDRESS:$POSTSCREEN_PORT inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
$ADDRESS:$AUTH_IN_CLEAR_PORT inet n - n - - smtpd -o smtpd_tls_auth_only=no -o smtpd_sasl_auth_enable=yes
$ADDRESS:$NO_STARTTLS_PORT inet n - n - - smtpd -o smtpd_tls_security_level=none
$ADDRESS:$OLD_TLS_PORT inet n - n - - smtpd -o smtpd_tls_protocols=TLSv1 -o tls_high_cipherlist=ALL:@SECLEVEL=0 -o tls_medium_cipherlist=ALL:@SECLEVEL=0
$ADDRESS:$REFUSES_PORT inet n - n - - smtpd -o smtpd_client_restrictions=reject
$ADDRESS:$BARE_EHLO_PORT inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=pipelining,starttls,chunking,dsn,etrn,8bitmime,vrfy,enhancedstatuscodes,size,smtputf8
$ADDRESS:$OPEN_RELAY_PORT inet n - n - - smtpd -o mynetworks=0.0.0.0/0 -o smtpd_relay_restrictions=permit_mynetworks,reject -o smtpd_recipient_restrictions=permit_mynetworks,reject
$ADDRESS:$XCLIENT_PORT inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=127.0.0.0/8
$ADDRESS:$P_384_PORT inet n - n - - smtpd -o tls_eecdh_auto_curves=secp384r1
$ADDRESS:$DH_1024_PORT inet n - n - - smtpd -o smtpd_tls_protocols=TLSv1.2 -o smtpd_tls_ciphers=high -o tls_high_cipherlist=DHE:@SECLEVEL=0 -o smtpd_tls_dh1024_param_file=$PKI/dh-1024.pem
$ADDRESS:$RSA_KEY_EXCHANGE_PORT inet n - n - - smtpd -o smtpd_tls_protocols=TLSv1.2 -o smtpd_tls_ciphers=high -o tls_high_cipherlist=kRSA
$ADDRESS:$GREYLIST_PORT inet n - n - - smtpd -o smtpd_recipient_restrictions=check_policy_service,inet:$ADDRESS:$POSTGREY_PORT
$ADDRESS:$GREYLIST_AT_DATA_PORT inet n - n - - smtpd -o smtpd_data_restrictions=check_policy_service,inet:$ADDRESS:$POSTGREY_PORT
$ADDRESS:$PROXY_PORT inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy
CONF
  for pair in $CERTIFICATE_PORTS; do
    name=${pair%:*}
    echo "$ADDRESS:${pair#*:} inet n - n - - smtpd -o smtpd_tls_chain_files=$PKI/$name.key,$PKI/$name.chain.pem"
  done
  cat <<CONF
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
CONF
} > /etc/postfix/master.cf

mkdir -p /var/spool/postfix /var/lib/postfix
chown postfix:postfix /var/lib/postfix
mkdir -p /var/lib/postgrey
chown postgrey:postgrey /var/lib/postgrey
echo "bob@$DOMAIN" > /etc/postgrey/whitelist_recipients.local
postgrey --daemonize --inet="$ADDRESS:$POSTGREY_PORT" --delay=2 --auto-whitelist-clients=0 --hostname="$HOST" \
  --whitelist-clients=/dev/null --greylist-text='Greylisted, please try again in %s seconds'
postfix set-permissions 2> /dev/null || true # complains about manual pages that the packages leave out
exec postfix start-fg
