#pragma once
#include "WiFiClientSecure.h"
struct HTTPClient {
  void begin(WiFiClient &, const String &) {}
  void addHeader(const char *, const char *) {}
  int POST(const String &) {
    world.registrations++;
    if (world.refusals > 0) return world.refusals--, 403;
    return 201;
  }
  String getString() { return "{}"; }
  void end() {}
};
