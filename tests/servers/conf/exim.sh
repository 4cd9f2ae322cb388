# Exim (the heavy build), everything decided in its ACLs.
add_user Debian-exim 4201 /var/spool/exim4
mkdir -p /var/spool/exim4 /var/log/exim4
chown Debian-exim:Debian-exim /var/spool/exim4 /var/log/exim4 "$LOGS"

cat > /etc/exim4/lab.conf <<CONF
primary_hostname = $HOST
domainlist local_domains = $DOMAIN
daemon_smtp_ports = $MX_PORT : $SUBMISSION_PORT : $SMTPS_PORT
local_interfaces = <; $ADDRESS
tls_on_connect_ports = $SMTPS_PORT
tls_advertise_hosts = *
tls_certificate = $PKI/good.chain.pem
tls_privatekey = $PKI/good.key
message_size_limit = 10240000
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
dsn_advertise_hosts = *
prdr_enable = true
log_file_path = $LOGS/exim-%slog
smtp_enforce_sync = true
smtp_accept_max = 200
queue_only = true
host_lookup =
rfc1413_query_timeout = 0s
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_vrfy = accept
acl_smtp_data = accept

begin acl
acl_mail:
  deny   condition = \${if and {{eq{\$received_port}{$SUBMISSION_PORT}}{eq{\$authenticated_id}{}}}}
         message = 5.7.0 authentication required
  deny   sender_domains = blocked.example
         message = 5.7.1 sender domain blocked
  accept
acl_rcpt:
  accept authenticated = *
  deny   !domains = +local_domains
         message = 5.7.1 relay not permitted
  defer  local_parts = grey
         message = 4.2.0 Greylisted, try again later
  defer  local_parts = full
         message = 4.2.2 mailbox full
  deny   local_parts = big
         message = 5.2.2 over quota
  drop   local_parts = bounce421
         message = too many errors
  deny   !verify = recipient
         message = 5.1.1 Unrouteable address: unknown user
  accept

begin routers
local_user:
  driver = accept
  domains = +local_domains
  check_local_user
  transport = nowhere

begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim

begin retry
* * F,2h,15m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{$LAB_USER}}{eq{\$auth3}{$LAB_PASSWORD}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{$LAB_USER}}{eq{\$auth2}{$LAB_PASSWORD}}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{$LAB_USER}{$LAB_PASSWORD}fail}
  server_set_id = \$auth1
CONF
exec exim4 -C /etc/exim4/lab.conf -bdf
