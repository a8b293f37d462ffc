// The sketch, run for some days of its own clock. Says what is wrong, and ends with 1.
#include SKETCH
#include <set>

World world;
SerialPort Serial;
Chip ESP;
Radio WiFi;
int failures = 0;

void expect(bool isSo, const char *what) {
  if (!isSo) printf("not so: %s\n", what), failures++;
}

void run(uint64_t seconds) {
  for (uint64_t until = world.clock + seconds * 1000; world.clock < until;) {
    loop();
    world.clock += 990;
  }
}

// Timestamps of all readings that were acknowledged, in the order in which they were.
std::vector<long> stored(size_t *largest = nullptr) {
  std::vector<long> times;
  for (const std::string &line : world.told) {
    if (line.find("/telemetry ") == std::string::npos) continue;
    size_t inThisOne = 0;
    for (size_t at = 0; (at = line.find("\"timestamp\":", at)) != std::string::npos; at += 12, inThisOne++)
      times.push_back(atol(line.c_str() + at + 12));
    if (largest) *largest = max(*largest, inThisOne);
  }
  return times;
}

bool hasAll(const std::vector<long> &times) {
  for (size_t i = 1; i < times.size(); i++)
    if (times[i] - times[i - 1] < 300 || times[i] - times[i - 1] > 303) return false;
  return true;
}

int main() {
  world.refusals = 3;
  setup();
  expect(world.registrations == 4, "it registers until it is let in, and then no more");
  expect(world.clock >= (60 + 120 + 240) * 1000, "ever more rarely");
  run(3600);
  expect(stored().size() >= 12 && hasAll(stored()), "a reading every five minutes, the first at once");

  world.hasBroker = false;
  world.triedAt.clear();
  uint64_t away = world.clock;
  run(10 * 3600);
  expect(world.triedAt.size() >= 30 && world.triedAt.size() < 60, "it tries ever more rarely, up to a quarter of an hour");
  expect(world.triedAt.front() - away < 15000, "at first soon");
  world.hasBroker = true;
  run(1800);
  size_t largest = 0;
  expect(stored(&largest).size() >= 138 && hasAll(stored()), "what was measured while the broker was away is there, in order");
  expect(largest == READINGS_AT_ONCE, "it came in batches");

  world.acknowledges = false;
  run(3600);
  world.acknowledges = true;
  run(1800);
  std::vector<long> times = stored();
  expect(hasAll(times), "what was not acknowledged was kept, and nothing is told twice by itself");

  world.hasWiFi = false;
  run(30 * 3600);
  world.hasWiFi = true;
  run(1800);
  times = stored();
  size_t lost = 0;
  for (size_t i = 1; i < times.size(); i++) lost += times[i] - times[i - 1] > 303;
  expect(lost == 1, "of more than fits only the oldest are lost");
  expect(readings.empty(), "nothing is left over");

  String name = "commands", interval60 = "set_interval 60", nonsense = "dance";
  onCommand(name, interval60);
  run(5);
  expect(world.told.back().find("commands/result") != std::string::npos || results.length() == 0, "a command is answered");
  size_t before = stored().size();
  run(600);
  expect(stored().size() >= before + 9, "the new interval counts at once");
  onCommand(name, nonsense);
  run(5);
  bool isRefused = false;
  for (const std::string &line : world.told) isRefused |= line.find("unknown command") != std::string::npos;
  expect(isRefused, "a command it does not know is answered so");
  if (failures == 0) printf("stored %zu\n", stored().size());
  return failures == 0 ? 0 : 1;
}
