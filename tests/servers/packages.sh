# Which Debian packages each server of the lab needs, and where they are unpacked. Sourced, not run.

LAB_CACHE=${SMTPDOC_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/smtpdoc-lab}
LAB_SERVERS="dovecot postfix exim opensmtpd sendmail"

packages_of() {
  case $1 in
    dovecot) echo "dovecot-core dovecot-submissiond" ;;
    postfix) echo "postfix postgrey" ;;
    exim) echo "exim4-daemon-heavy exim4-config exim4-base" ;;
    # The 2020 OpenSMTPD of bookworm, rebuilt for OpenSSL 3, fails every TLS handshake with alert 80. So this one
    # comes from the next release, with the C library and the OpenSSL it was built for; both stay in its overlay.
    opensmtpd) echo "opensmtpd libc6 libevent-2.1-7t64 libssl3t64 zlib1g libzstd1 libcrypt1 libdb5.3t64" ;;
    sendmail) echo "sendmail-bin sendmail-base sendmail-cf m4 sasl2-bin libsasl2-modules" ;;
    *) echo "unknown server: $1" >&2; return 2 ;;
  esac
}

# The release a server is taken from; empty: the machine's own package sources.
suite_of() { case $1 in opensmtpd) echo trixie ;; esac; }
