#pragma once
#include <mosquitto.h>
#include <mqtt_protocol.h>
// mosquitto_ssl_get hands out OpenSSL's own handle.
#include <openssl/ssl.h>
