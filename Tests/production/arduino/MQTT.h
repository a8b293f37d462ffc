#pragma once
#include "WiFiClientSecure.h"
struct MQTTClient {
  size_t buffer;
  bool isConnected = false;
  void (*handler)(String &, String &) = nullptr;
  explicit MQTTClient(int size) : buffer(size) {}
  void begin(const char *, int, WiFiClient &) {}
  void setKeepAlive(int) {}
  void setCleanSession(bool) {}
  void setWill(const char *, const char *, bool, int) {}
  void onMessage(void (*f)(String &, String &)) { handler = f; }
  bool connect(const char *, const char *, const char *) {
    world.triedAt.push_back(world.clock);
    return isConnected = world.hasBroker && world.hasWiFi;
  }
  bool connected() { return isConnected = isConnected && world.hasBroker && world.hasWiFi; }
  bool loop() { return connected(); }
  // With QoS 1 the library waits for the acknowledgement, and closes the connection when there is none.
  bool publish(const String &topic, const String &payload, bool = false, int = 0) {
    if (!connected() || topic.size() + payload.size() + 10 > buffer) return false;
    if (!world.acknowledges) return isConnected = false;
    world.told.push_back(topic + " " + payload);
    return true;
  }
  bool subscribe(const String &, int) { return connected(); }
  int lastError() { return 0; }
  int returnCode() { return 5; }
};
