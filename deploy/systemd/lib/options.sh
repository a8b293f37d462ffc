# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the other files
# What install.sh was told.

DRY_RUN=no
PACKAGES=yes
KEY_FILE=
HOST_GIVEN=no

wrong() {
    printf 'install.sh: %s (try --help)\n' "$1" >&2
    exit 64
}

port_number() {
    [[ $2 =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] || wrong "$1 $2 is not a port number"
}

read_options() {
    local option value
    while (($# > 0)); do
        option=$1
        shift
        case $option in
            -h | --help)
                usage
                exit
                ;;
            --no-nginx) PLANTOPS_WEB=no && continue ;;
            --nginx) PLANTOPS_WEB=yes && continue ;;
            --no-packages) PACKAGES=no && continue ;;
            --own-certificate) PLANTOPS_CERTIFICATE='' PLANTOPS_CERTIFICATE_KEY='' && continue ;;
            --dry-run) DRY_RUN=yes && continue ;;
            --host | --email | --certificate | --certificate-key | --http-port | --https-port | --mqtt-port | --api-port | \
                --program | --dashboard | --encryption-key) ;;
            *) wrong "unknown option $option" ;;
        esac
        if [[ -z ${1:-} ]]; then wrong "$option needs a value"; fi
        value=$1
        shift
        case $option in
            --host)
                [[ $value =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ || $value =~ ^[0-9A-Fa-f:]+:[0-9A-Fa-f:]*$ ]] ||
                    wrong "--host $value is neither a name nor an address"
                PLANTOPS_HOST=$value
                HOST_GIVEN=yes
                ;;
            --email)
                [[ $value =~ ^[^[:space:]@\"\'\\]+@[^[:space:]@\"\'\\]+$ ]] || wrong "--email $value is not an e-mail address"
                PLANTOPS_ADMIN_EMAIL=$value
                ;;
            --certificate) PLANTOPS_CERTIFICATE=$(readable_file "$option" "$value") ;;
            --certificate-key) PLANTOPS_CERTIFICATE_KEY=$(readable_file "$option" "$value") ;;
            --http-port)
                if [[ $value != 0 ]]; then port_number "$option" "$value"; fi
                PLANTOPS_HTTP_PORT=$value
                ;;
            --https-port) port_number "$option" "$value" && PLANTOPS_HTTPS_PORT=$value ;;
            --mqtt-port) port_number "$option" "$value" && PLANTOPS_MQTT_PORT=$value ;;
            --api-port) port_number "$option" "$value" && PLANTOPS_API_PORT=$value ;;
            --program) GIVEN_PROGRAM=$value ;;
            --dashboard) GIVEN_DASHBOARD=$value ;;
            --encryption-key) KEY_FILE=$(readable_file "$option" "$value") ;;
        esac
    done
    if [[ -n $PLANTOPS_CERTIFICATE && -z $PLANTOPS_CERTIFICATE_KEY || -z $PLANTOPS_CERTIFICATE && -n $PLANTOPS_CERTIFICATE_KEY ]]; then
        wrong "--certificate and --certificate-key go together"
    fi
    local ports="$PLANTOPS_HTTPS_PORT $PLANTOPS_MQTT_PORT $PLANTOPS_API_PORT $PLANTOPS_HTTP_PORT"
    if [[ -n $(tr ' ' '\n' <<<"$ports" | sort | uniq -d) ]]; then wrong "two of the ports $ports are the same"; fi
    if [[ -z $PLANTOPS_HOST ]]; then PLANTOPS_HOST=$(public_host); fi
}

# Its whole path: nginx is started elsewhere. A link stays one, because certbot renews by changing it.
readable_file() {
    [[ -f $2 && -r $2 ]] || wrong "$1 $2 is not a file that can be read"
    realpath -s -- "$2"
}
