#pragma once
#include "Arduino.h"
struct Preferences {
  std::map<std::string, std::string> texts;
  std::map<std::string, uint32_t> numbers;
  void begin(const char *) {}
  String getString(const char *key) { return texts[key]; }
  void putString(const char *key, const char *text) { texts[key] = text; }
  uint16_t getUShort(const char *key, uint16_t other) { return numbers.count(key) ? numbers[key] : other; }
  void putUShort(const char *key, uint16_t number) { numbers[key] = number; }
  uint32_t getUInt(const char *key, uint32_t other) { return numbers.count(key) ? numbers[key] : other; }
  void putUInt(const char *key, uint32_t number) { numbers[key] = number; }
};
