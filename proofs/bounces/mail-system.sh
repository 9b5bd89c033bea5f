#!/usr/bin/env bash
# Runs a mail system of Debian from unpacked packages, in a mount namespace of its own: nothing of it stays on the machine.
# mail-system.sh NAME PACKAGES WORK PORT REMOTE_PORT INTAKE_PORT
set -euo pipefail
name=$1 packages=$2 work=$3 port=$4 remote=$5 intake=$6

mount -t tmpfs none "$work"
for folder in usr etc var; do
  mkdir -p "$work/$folder.upper" "$work/$folder.work" "$packages/$folder"
  mount -t overlay none -o "lowerdir=$packages/$folder:/$folder,upperdir=$work/$folder.upper,workdir=$work/$folder.work" "/$folder"
done
mount -t tmpfs none /run
chmod 755 /run

user() { # NAME ID HOME
  getent passwd "$1" > /dev/null || echo "$1:x:$2:$2::$3:/usr/sbin/nologin" >> /etc/passwd
  getent group "$1" > /dev/null || echo "$1:x:$2:" >> /etc/group
}

case $name in
  Postfix)
    user postfix 64501 /var/spool/postfix
    user postdrop 64502 /nonexistent
    cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
    sed -i -E "s/^smtp +inet/127.0.0.1:$port inet/; s/^([a-z0-9.:]+ +[a-z]+ +[-yn]+ +[-yn]+ +)y /\1n /" /etc/postfix/master.cf
    cat > /etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = relay.bank.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_recipient_maps =
relay_domains = bounces.bank.example
relay_recipient_maps =
transport_maps = inline:{ bounces.bank.example=smtp:[127.0.0.1]:$intake, shop.example=smtp:[127.0.0.1]:$remote }
smtp_dns_support_level = disabled
smtpd_relay_restrictions = permit_mynetworks, reject
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
delay_warning_time = 1s
maximal_queue_lifetime = 8s
bounce_queue_lifetime = 60s
confirm_delay_cleared = no
maillog_file = /var/log/postfix.log
maillog_file_prefixes = /var
END
    mkdir -p /var/spool/postfix /var/lib/postfix
    chown postfix /var/lib/postfix
    postfix set-permissions create-missing > /dev/null 2>&1 || true
    postfix start-fg &
    ;;
  Exim)
    user Debian-exim 64503 /var/spool/exim4
    mkdir -p /var/spool/exim4 /var/log/exim4
    chown -R Debian-exim:Debian-exim /var/spool/exim4 /var/log/exim4
    mkdir -p /etc/exim4
    cat > /etc/exim4/exim4.conf <<END
primary_hostname = relay.bank.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port
domainlist local_domains = relay.bank.example
acl_smtp_rcpt = accept_all
tls_advertise_hosts =
dsn_advertise_hosts = EXIM_DSN
keep_environment =
exim_user = Debian-exim
exim_group = Debian-exim
delay_warning = 1s
ignore_bounce_errors_after = 1m
prdr_enable = false
never_users =
begin acl
accept_all:
  accept
begin routers
intake:
  driver = manualroute
  domains = bounces.bank.example
  transport = to_intake
  route_list = * 127.0.0.1 byname
  self = send
remote:
  driver = manualroute
  domains = shop.example
  transport = to_remote
  route_list = * 127.0.0.1 byname
  self = send
begin transports
to_intake:
  driver = smtp
  port = $intake
  allow_localhost
to_remote:
  driver = smtp
  port = $remote
  allow_localhost
begin retry
* * F,6s,1s
END
    sed -i "s/= EXIM_DSN/=${EXIM_DSN:+ 127.0.0.1}/" /etc/exim4/exim4.conf
    chmod 644 /etc/exim4/exim4.conf
    export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu
    exim4 -C /etc/exim4/exim4.conf -bdf -q1s &
    ;;
  OpenSMTPD)
    user opensmtpd 64504 /var/lib/opensmtpd/empty
    user opensmtpq 64505 /var/lib/opensmtpd/empty
    mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd
    chmod 711 /var/spool/smtpd
    echo relay.bank.example > /etc/mailname
    touch /etc/aliases
    cat > /etc/smtpd.conf <<END
queue ttl 8s
bounce warn-interval 1s
listen on 127.0.0.1 port $port
action intake relay host smtp://127.0.0.1:$intake
action remote relay host smtp://127.0.0.1:$remote
match from any for domain bounces.bank.example action intake
match from any for domain shop.example action remote
END
    smtpd -d &
    ;;
esac
server=$!
trap 'kill $server 2> /dev/null; wait $server 2> /dev/null' TERM INT EXIT
# The end of the standard input is the end of the proof.
cat > /dev/null
