#pragma once
#include "Arduino.h"
// Just flat objects of texts and numbers, and commands as the test hands them over.
struct JsonValue {
  std::string text;
  bool isText = false, isThere = false;
  std::map<std::string, JsonValue> members;
  JsonValue &operator[](const char *key) { return members[key]; }
  JsonValue &operator=(const char *value) { return text = value, isText = isThere = true, *this; }
  JsonValue &operator=(const String &value) { return *this = value.c_str(); }
  JsonValue &operator=(bool value) { return text = value ? "true" : "false", isThere = true, *this; }
  JsonValue &operator=(const JsonValue &) = default;
  template <typename N, typename = std::enable_if_t<std::is_arithmetic_v<N> && !std::is_same_v<N, bool>>>
  JsonValue &operator=(N value) { return text = std::to_string(value), isThere = true, *this; }
  void add(const char *) {}
  template <typename T> T as() const;
  operator uint32_t() const { return strtoul(text.c_str(), nullptr, 10); }
};
template <> inline const char *JsonValue::as<const char *>() const { return text.c_str(); }
template <> inline int JsonValue::as<int>() const { return atoi(text.c_str()); }
template <> inline uint16_t JsonValue::as<uint16_t>() const { return static_cast<uint16_t>(atoi(text.c_str())); }
inline const char *operator|(const JsonValue &value, const char *other) { return value.isThere ? value.text.c_str() : other; }
using JsonDocument = JsonValue;
inline void serializeJson(const JsonDocument &document, String &out) {
  out += "{";
  bool isFirst = true;
  for (const auto &[key, value] : document.members) {
    if (!value.isThere) continue;
    out += (isFirst ? "\"" : ",\"") + key + "\":" + (value.isText ? "\"" + value.text + "\"" : value.text);
    isFirst = false;
  }
  out += "}";
}
// What PlantOps answers to a registration, or "command seconds" of a test.
inline bool deserializeJson(JsonDocument &document, const String &text) {
  if (text.rfind("{", 0) == 0) {
    for (const char *key : {"device_id", "mqtt_password", "mqtt_client_id", "mqtt_host"}) document[key] = key;
    document["mqtt_port"] = 8883;
    return false;
  }
  char name[32] = "", seconds[32] = "";
  if (sscanf(text.c_str(), "%31s %31s", name, seconds) < 1) return true;
  document["id"] = "7";
  document["command"] = static_cast<const char *>(name);
  document["args"]["seconds"] = static_cast<const char *>(seconds);
  return false;
}
