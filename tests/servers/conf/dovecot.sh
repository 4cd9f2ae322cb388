# Dovecot twice over: the SASL service that Postfix asks, and its own submission server, which hands on to Postfix.
add_user dovecot 4101
add_user dovenull 4102
add_user vmail 4103 /var/vmail
mkdir -p /run/dovecot /var/vmail
chown 4103:4103 /var/vmail

cat > /etc/dovecot/lab.conf <<CONF
base_dir = /run/dovecot
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols = submission
listen = $ADDRESS
hostname = $HOST
mail_location = maildir:/var/vmail/%u
mail_uid = 4103
mail_gid = 4103
ssl = yes
ssl_cert = <$PKI/good.chain.pem
ssl_key = <$PKI/good.key
disable_plaintext_auth = yes
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2
auth_failure_delay = 0
passdb {
  driver = static
  args = user=$LAB_USER password=$LAB_PASSWORD
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
}
passdb {
  driver = static
  args = password=$LAB_TOKEN
  mechanisms = oauthbearer xoauth2
}
userdb {
  driver = static
  args = uid=4103 gid=4103 home=/var/vmail/%u
}
service auth {
  inet_listener {
    address = $ADDRESS
    port = $SASL_PORT
  }
}
# Without this a wrong password makes the next AUTH from the same address wait, in whichever test it comes.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
service submission-login {
  service_count = 0
  client_limit = 1000
  process_limit = 2
  inet_listener submission {
    address = $ADDRESS
    port = $SUBMISSION_PORT
  }
  inet_listener submissions {
    address = $ADDRESS
    port = $SMTPS_PORT
    ssl = yes
  }
}
submission_relay_host = $ADDRESS
submission_relay_port = $OPEN_RELAY_PORT
submission_relay_trusted = no
submission_max_mail_size = 10240000
submission_client_workarounds =
CONF
exec dovecot -F -c /etc/dovecot/lab.conf
