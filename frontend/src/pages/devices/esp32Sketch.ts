/** A sketch for an ESP32 with the Arduino core, filled in. `caCertificate`: PEM, of who signed the broker's. */
export function esp32Sketch(address: string, token: string, caCertificate: string | null = null): string {
  return sketch
    .replace("@ADDRESS@", () => address)
    .replace("@TOKEN@", () => token)
    .replace("@CA@", () => caCertificate?.trim() ?? "");
}

// What it does, and why in this order, is told in docs/devices.md.
const sketch = String.raw`// PlantOps: an ESP32 that measures and tells.
// Arduino core for ESP32 2.0 or newer, and two libraries of the library manager: "MQTT" by Joel Gaehwiler
// (it can wait for acknowledgements, QoS 1) and "ArduinoJson" 7 by Benoit Blanchon.
#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <HTTPClient.h>
#include <Preferences.h>
#include <MQTT.h>
#include <ArduinoJson.h>
#include <deque>
#include <time.h>

const char *WIFI_NAME = "your Wi-Fi";
const char *WIFI_PASSWORD = "its password";

const char *PLANTOPS = "@ADDRESS@";
const char *ENROLLMENT_TOKEN = "@TOKEN@";
// Who signed the certificate of PLANTOPS, if that begins with https: without it the sketch does not register. Filled in
// is who signed the broker's; replace it if the other one was signed by somebody else.
const char *HTTPS_CA = R"(@CA@)";

const char *FIRMWARE = "my-sensor 1.0";
const int MOISTURE_PIN = 34, LED_PIN = 2;
// Measure both with your probe: in the air, and in water.
const int DRY = 2800, WET = 1200;
const size_t KEPT_READINGS = 200;  // 16 hours without a network, at one in five minutes.
const size_t READINGS_AT_ONCE = 20, LONGEST_BATCH = 3500;

Preferences memory;
WiFiClientSecure secure;
MQTTClient mqtt(4096);  // At least the longest batch and its topic.
std::deque<String> readings;  // Not acknowledged yet, oldest first.
String deviceId, password, clientId, host, ca;
uint16_t port;
uint32_t interval, lastReading, lastTry, pause = 0;
bool hasRead = false, mustReboot = false;
String results;  // The answer to a command: nothing may be sent while one is being received.

bool load() {
  deviceId = memory.getString("id");
  password = memory.getString("password");
  clientId = memory.getString("client");
  host = memory.getString("host");
  ca = memory.getString("ca");
  port = memory.getUShort("port", 8883);
  return deviceId.length() > 0;
}

// Once in its life, by HTTP: the answer says who it is and whom to talk to.
bool enroll() {
  String url = String(PLANTOPS) + "/api/devices/register";
  bool isEncrypted = url.startsWith("https");
  if (isEncrypted && strlen(HTTPS_CA) == 0) {
    Serial.println("HTTPS_CA is empty");
    return false;
  }
  WiFiClient plain;
  WiFiClientSecure encrypted;
  encrypted.setCACert(HTTPS_CA);
  HTTPClient http;
  if (isEncrypted) http.begin(encrypted, url);
  else http.begin(plain, url);
  http.addHeader("Content-Type", "application/json");
  JsonDocument question;
  question["mac_address"] = WiFi.macAddress();
  question["enrollment_token"] = ENROLLMENT_TOKEN;
  question["firmware_version"] = FIRMWARE;
  question["reporting_interval_seconds"] = interval;
  question["sensor_types"].add("soil_moisture");
  String body;
  serializeJson(question, body);
  int status = http.POST(body);
  String text = http.getString();
  http.end();
  JsonDocument answer;
  if (status != 201 || deserializeJson(answer, text)) {
    // 403: the token is used up or expired. 429, 503: later.
    Serial.printf("registration: %d %s\n", status, text.c_str());
    return false;
  }
  memory.putString("password", answer["mqtt_password"].as<const char *>());
  memory.putString("client", answer["mqtt_client_id"].as<const char *>());
  memory.putString("host", answer["mqtt_host"].as<const char *>());
  memory.putUShort("port", answer["mqtt_port"].as<uint16_t>());
  memory.putString("ca", answer["ca_certificate"] | HTTPS_CA);
  // Last: with an id the rest is there, too.
  memory.putString("id", answer["device_id"].as<const char *>());
  return load();
}

String topic(const char *name) { return "devices/" + deviceId + "/" + name; }

void onCommand(String &, String &payload) {
  JsonDocument command, result;
  if (deserializeJson(command, payload)) return;
  String name = command["command"] | "";
  result["id"] = command["id"];
  result["ok"] = true;
  if (name == "identify") {
    for (int i = 0; i < 10; i++) {
      digitalWrite(LED_PIN, i % 2 == 0 ? HIGH : LOW);
      delay(150);
    }
  } else if (name == "set_interval" && command["args"]["seconds"].as<int>() >= 1) {
    interval = command["args"]["seconds"];
    memory.putUInt("interval", interval);
  } else if (name == "reboot") {
    mustReboot = true;
  } else {
    result["ok"] = false;
    result["detail"] = "unknown command";
  }
  serializeJson(result, results);
}

bool connect() {
  secure.setCACert(ca.c_str());
  mqtt.begin(host.c_str(), port, secure);
  mqtt.setKeepAlive(60);
  // The broker keeps what comes while it is away.
  mqtt.setCleanSession(false);
  mqtt.setWill(topic("status").c_str(), "offline", true, 1);
  mqtt.onMessage(onCommand);
  if (!mqtt.connect(clientId.c_str(), deviceId.c_str(), password.c_str())) {
    // 5: the credentials are refused. Delete them (memory.clear()) only when a person says so.
    Serial.printf("broker: error %d, answer %d\n", mqtt.lastError(), mqtt.returnCode());
    return false;
  }
  return mqtt.publish(topic("status"), "online", true, 1) && mqtt.subscribe(topic("commands"), 1);
}

void measure() {
  JsonDocument reading;
  time_t now = time(nullptr);
  // Before the clock is set the server's time counts.
  if (now > 1700000000) reading["timestamp"] = now;
  reading["soil_moisture"] = constrain(100.0 * (DRY - analogRead(MOISTURE_PIN)) / (DRY - WET), 0.0, 100.0);
  reading["rssi"] = WiFi.RSSI();
  String text;
  serializeJson(reading, text);
  readings.push_back(text);
  if (readings.size() > KEPT_READINGS) readings.pop_front();
}

// The oldest ones as an array, and how many they are.
String batch(size_t &count) {
  String text = "[";
  for (count = 0; count < readings.size() && count < READINGS_AT_ONCE; count++) {
    if (count > 0 && text.length() + readings[count].length() > LONGEST_BATCH) break;
    if (count > 0) text += ",";
    text += readings[count];
  }
  text += "]";
  return text;
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_PIN, OUTPUT);
  memory.begin("plantops");
  interval = memory.getUInt("interval", 300);
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(200);
  // The time first: no certificate is valid in 1970.
  configTime(0, 0, "pool.ntp.org");
  for (int i = 0; i < 100 && time(nullptr) < 1700000000; i++) delay(200);
  // A token that was refused is refused again: ask ever more rarely, and let a person look.
  for (uint32_t wait = 60000; !load() && !enroll(); wait = min<uint32_t>(2 * wait, 3600000)) delay(wait);
}

void loop() {
  if (!hasRead || millis() - lastReading >= interval * 1000) {
    hasRead = true;
    lastReading = millis();
    measure();
  }
  if (!mqtt.connected() && WiFi.status() == WL_CONNECTED && millis() - lastTry >= pause) {
    // Ever more rarely, up to a quarter of an hour, and after a power cut not at the same instant as all the others.
    pause = connect() ? 5000 : min<uint32_t>(max<uint32_t>(2 * pause, 5000), 900000);
    pause += random(pause / 4);
    lastTry = millis();
  }
  if (mqtt.connected()) {
    mqtt.loop();
    if (results.length() > 0 && mqtt.publish(topic("commands/result"), results, false, 1)) results = "";
    if (mustReboot && results.length() == 0) ESP.restart();
    if (!readings.empty()) {
      size_t count;
      String text = batch(count);
      // Taken off the list when they are acknowledged: then they are stored.
      if (mqtt.publish(topic("telemetry"), text, false, 1)) readings.erase(readings.begin(), readings.begin() + count);
    }
  }
  delay(10);
}
`;
