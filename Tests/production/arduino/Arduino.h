// As much of Arduino, its ESP32 core and two libraries as the sketch of docs/devices.md uses, for a machine without any of
// them: a clock that is set forward, a memory, a network and a broker that a test switches on and off.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <time.h>
#include <vector>
using std::max;
using std::min;

struct String : std::string {
  String(const char *text = "") : std::string(text ? text : "") {}
  String(const std::string &text) : std::string(text) {}
  bool startsWith(const char *text) const { return rfind(text, 0) == 0; }
};
inline String operator+(const String &a, const String &b) { return String(static_cast<const std::string &>(a) + static_cast<const std::string &>(b)); }
inline String operator+(const char *a, const String &b) { return String(a) + b; }
inline String operator+(const String &a, const char *b) { return a + String(b); }

struct World {
  uint64_t clock = 0;  // ms since the device was switched on
  bool hasWiFi = true, hasBroker = true, acknowledges = true, isRegistered = false;
  int registrations = 0, refusals = 0, tries = 0;
  std::vector<uint64_t> triedAt;
  std::vector<std::string> told;  // what was acknowledged: "topic payload"
};
extern World world;

constexpr int HIGH = 1, LOW = 0, OUTPUT = 1, WL_CONNECTED = 3, WIFI_STA = 1;
inline uint32_t millis() { return static_cast<uint32_t>(world.clock); }
inline void delay(uint32_t ms) { world.clock += ms; }
inline long random(long bound) { return bound > 0 ? rand() % bound : 0; }
inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}
inline int analogRead(int) { return 2000; }
inline void configTime(long, int, const char *) {}
inline double constrain(double value, double least, double most) { return min(max(value, least), most); }
// Time stands at the same distance from the device's clock.
inline time_t deviceTime(time_t *) { return 1800000000 + world.clock / 1000; }
#define time deviceTime

struct SerialPort {
  void begin(long) {}
  template <typename... A> void printf(const char *, A...) {}
  void println(const char *) {}
};
extern SerialPort Serial;
struct Chip { void restart() { exit(3); } };
extern Chip ESP;
