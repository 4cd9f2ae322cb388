# First part of every server's script, inside its namespace: users, names, no DNS.

add_group() { # name id
  grep -q "^$1:" /etc/group || echo "$1:x:$2:" >> /etc/group
}
add_user() { # name id [home] [shell]
  add_group "$1" "$2"
  grep -q "^$1:" /etc/passwd || echo "$1:x:$2:$2::${3:-/nonexistent}:${4:-/usr/sbin/nologin}" >> /etc/passwd
}

add_user alice 3001 /home/alice /bin/sh
add_user bob 3002 /home/bob /bin/sh
mkdir -p /home/alice /home/bob
chown 3001:3001 /home/alice
chown 3002:3002 /home/bob

printf '127.0.0.1 localhost\n%s %s mx\n' "$ADDRESS" "$HOST" > /etc/hosts
echo "$HOST" > /etc/mailname
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' > /etc/nsswitch.conf
: > /etc/resolv.conf
