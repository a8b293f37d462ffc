#pragma once
#include "Arduino.h"
struct Radio {
  void mode(int) {}
  void setAutoReconnect(bool) {}
  void begin(const char *, const char *) {}
  int status() { return world.hasWiFi ? WL_CONNECTED : 0; }
  String macAddress() { return "A4:CF:12:0B:33:7E"; }
  int RSSI() { return -60; }
};
extern Radio WiFi;
struct WiFiClient {};
