# OpenSMTPD: it has no greylisting or quota of its own, so it knows only good and unknown recipients.
add_user opensmtpd 4301 /var/lib/opensmtpd/empty
add_user opensmtpq 4302
mkdir -p /var/lib/opensmtpd/empty /var/run
chown root:root /var/lib/opensmtpd/empty
chmod 755 /var/lib/opensmtpd /var/lib/opensmtpd/empty
mkdir -p -m 711 /var/spool/smtpd
for directory in corrupt incoming purge queue temporary; do
  mkdir -p -m 700 "/var/spool/smtpd/$directory"
  chown opensmtpq:root "/var/spool/smtpd/$directory"
done
mkdir -p -m 770 /var/spool/smtpd/offline
chown root:opensmtpq /var/spool/smtpd/offline

install -m 600 "$PKI/good.key" /etc/lab.key
install -m 644 "$PKI/good.chain.pem" /etc/lab.pem
printf '%s %s\n' "$LAB_USER" "$(printf '%s' "$LAB_PASSWORD" | openssl passwd -6 -stdin)" > /etc/lab-passwords
chmod 640 /etc/lab-passwords
chgrp opensmtpd /etc/lab-passwords

cat > /etc/smtpd.lab.conf <<CONF
pki $HOST cert "/etc/lab.pem"
pki $HOST key "/etc/lab.key"
table passwords file:/etc/lab-passwords
table blocked { "@blocked.example" }
smtp max-message-size 10240000
listen on $ADDRESS port $MX_PORT tls pki $HOST hostname $HOST
listen on $ADDRESS port $SUBMISSION_PORT tls-require pki $HOST auth <passwords> hostname $HOST
listen on $ADDRESS port $SMTPS_PORT smtps pki $HOST auth <passwords> hostname $HOST
action "drop" mda "/bin/cat > /dev/null"
match mail-from <blocked> for any reject
match from any for domain "$DOMAIN" action "drop"
match auth from any for any action "drop"
CONF
chmod 644 /etc/smtpd.lab.conf
exec smtpd -d -f /etc/smtpd.lab.conf
