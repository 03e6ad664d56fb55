// Good files, each broken in one place by a rule: a key misspelt, a colon taken away, a name that
// nothing has. The line of the mistake is known, and must be the one that is reported; in nine of
// ten cases what to write instead must be right too.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "manifests/load.hpp"

namespace manifests {
namespace {

constexpr const char* kShop = R"(name: shop
services:
  web:
    image: nginx:1.27
    ports:
      - "8080:80"
      - "127.0.0.1:8443:443"
    depends_on:
      api:
        condition: service_healthy
      cache:
        condition: service_started
    networks:
      - front
      - back
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost"]
      interval: 10s
      timeout: 3s
      start_period: 1m30s
    restart: unless-stopped
  api:
    build:
      context: ./api
      target: production
    command: ["serve", "--port", "${PORT:-3000}"]
    environment:
      DATABASE_URL: postgres://db/${DATABASE:-app}
      LOG_LEVEL: info
    volumes:
      - uploads:/srv/uploads
    secrets:
      - token
    networks:
      - back
    stop_grace_period: 20s
    healthcheck:
      test: curl -f http://localhost:3000/health
      interval: 5s
  cache:
    image: redis:7
    networks: [back]
    mem_limit: 256m
networks:
  front:
  back:
    internal: true
volumes:
  uploads:
    driver: local
secrets:
  token:
    environment: TOKEN
)";

constexpr const char* kWiki = R"(services:
  wiki:
    image: "wiki:${TAG:-latest}"
    container_name: wiki
    hostname: wiki.local
    user: "1000:1000"
    working_dir: /srv
    expose:
      - "3000"
    ports:
      - "3000:3000/tcp"
      - target: 3001
        published: "3001"
        protocol: udp
    env_file: /dev/null
    labels:
      traefik.enable: "true"
    logging:
      driver: json-file
      options:
        max-size: 10m
    volumes:
      - type: volume
        source: data
        target: /data
      - ./themes:/srv/themes:ro
    configs:
      - source: settings
        target: /etc/wiki.json
    depends_on:
      - database
      - search
    deploy:
      replicas: 1
      resources:
        limits:
          cpus: "0.5"
          memory: 512M
    ulimits:
      nofile:
        soft: 1024
        hard: 2048
    stop_grace_period: 15s
  database:
    image: postgres:17
    shm_size: 128m
    environment:
      - POSTGRES_PASSWORD=${PASSWORD:-secret}
      - POSTGRES_DB=wiki
    volumes:
      - data:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD-SHELL", "pg_isready"]
      interval: 30s
      retries: 5
      timeout: 10s
    cap_drop:
      - ALL
  search:
    image: search:2
    init: true
    read_only: true
    tmpfs:
      - /tmp
    links:
      - database
configs:
  settings:
    content: "{}"
volumes:
  data:
    labels:
      keep: "yes"
)";

struct Broken {
  std::string text;
  std::set<int> lines;     ///< where the mistake may be said to be
  std::string suggestion;  ///< what the advice must hold; empty: any advice will do
  std::string what;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string key_of(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" -");
  const std::size_t colon = line.find(':');
  if (begin == std::string::npos || colon == std::string::npos || colon < begin) return {};
  const bool is_key = colon + 1 == line.size() || line[colon + 1] == ' ';
  const std::string key = line.substr(begin, colon - begin);
  return is_key && key.find_first_of("\" ./{") == std::string::npos ? key : "";
}

/// Keys that the files' authors chose: a misspelt one is no mistake.
bool is_chosen(const std::string& key) {
  static const std::set<std::string> kChosen = {
      "web",      "api",          "cache",     "front",    "back",    "uploads",
      "token",    "DATABASE_URL", "wiki",      "data",     "keep",    "search",
      "database", "nofile",       "LOG_LEVEL", "settings", "max-size"};
  return kChosen.contains(key);
}

class Mutations {
 public:
  std::vector<Broken> all() {
    for (const char* good : {kShop, kWiki}) {
      good_ = lines_of(good);
      misspelt_keys();
      missing_colons();
      wrong_indents();
      wrong_types();
      texts("\"8080:80\"", {"\"8080:99999\"", "\"8O80:80\"", "\"8080:80/tpc\"", "\"80 80:80\""});
      texts("\"3000:3000/tcp\"", {"\"3000:70000/tcp\"", "\"3000:3000/tp\"", "\"x:3000\""});
      texts("\"127.0.0.1:8443:443\"", {"\"127.0.0.1:8443:443443\"", "\"localhost:8443:443\""});
      for (const char* duration : {"10s", "3s", "1m30s", "20s", "15s", "30s", "5s"})
        durations(duration);
      interpolations();
      references();
      cycles();
    }
    merge_tags();
    return std::move(found_);
  }

 private:
  void add(std::size_t line, const std::string& changed, std::string suggestion,
           const std::string& kind) {
    std::vector<std::string> lines = good_;
    lines[line] = changed;
    found_.push_back({.text = joined(lines),
                      .lines = {static_cast<int>(line) + 1},
                      .suggestion = std::move(suggestion),
                      .what = kind + ": " + changed});
  }

  void misspelt_keys() {
    for (std::size_t i = 0; i < good_.size(); ++i) {
      const std::string key = key_of(good_[i]);
      if (key.size() < 4 || is_chosen(key) || good_[i].find("- ") != std::string::npos) continue;
      std::string line = good_[i];
      const std::size_t at = line.find(key);
      std::string wrong = key;
      std::swap(wrong[key.size() / 2], wrong[key.size() / 2 - 1]);
      if (wrong == key) wrong.erase(1, 1);
      add(i, line.replace(at, key.size(), wrong), key, "misspelt key");
    }
  }

  void missing_colons() {
    for (std::size_t i = 0; i < good_.size(); ++i) {
      const std::string key = key_of(good_[i]);
      if (key.empty() || is_chosen(key) || good_[i].find("- ") != std::string::npos) continue;
      std::string line = good_[i];
      line.erase(line.find(key) + key.size(), 1);
      add(i, line, key + ":", "missing colon");
    }
  }

  void wrong_indents() {
    for (std::size_t i = 3; i < good_.size(); ++i) {
      const std::string key = key_of(good_[i]);
      const std::string& line = good_[i];
      const bool attribute = line.starts_with("    ") && line[4] != ' ';
      if (!attribute || key.empty() || key_of(good_[i - 1]).empty()) continue;
      const bool block = i + 1 < good_.size() && good_[i + 1].starts_with("      ");
      // What stands below a moved key would be moved too.
      if (block || good_[i - 1].ends_with(":")) continue;
      add(i, " " + line, "", "indented too far");
      add(i, line.substr(1), "", "indented too little");
    }
  }

  void wrong_types() {
    const std::pair<const char*, const char*> kTypes[] = {
        {"    image: nginx:1.27", "    image: [nginx]"},
        {"    image: redis:7", "    image: {name: redis}"},
        {"    restart: unless-stopped", "    restart: [always]"},
        {"    networks: [back]", "    networks: back"},
        {"    mem_limit: 256m", "    mem_limit: [256m]"},
        {"    mem_limit: 256m", "    mem_limit: plenty"},
        {"      target: production", "      target: 12"},
        {"    container_name: wiki", "    container_name: 12"},
        {"    hostname: wiki.local", "    hostname: 1.5"},
        {"    user: \"1000:1000\"", "    user: 1000"},
        {"    working_dir: /srv", "    working_dir: [/srv]"},
        {"    init: true", "    init: maybe"},
        {"    read_only: true", "    read_only: [true]"},
        {"      retries: 5", "      retries: many"},
        {"      replicas: 1", "      replicas: one"},
        {"    shm_size: 128m", "    shm_size: 128 megs and more"},
        {"      context: ./api", "      context: [./api]"},
        {"        condition: service_healthy", "        condition: healthy"},
        {"        condition: service_started", "        condition: service_startd"},
        {"        soft: 1024", "        soft: lots"},
        {"          memory: 512M", "          memory: 512"},
        {"        target: /data", "        target: 12"},
        {"    internal: true", "    internal: perhaps"},
    };
    for (const auto& [good, bad] : kTypes)
      for (std::size_t i = 0; i < good_.size(); ++i)
        if (good_[i] == good) add(i, bad, "", "wrong type");
  }

  void texts(const std::string& good, const std::vector<std::string>& bad) {
    for (std::size_t i = 0; i < good_.size(); ++i) {
      const std::size_t at = good_[i].find(good);
      if (at == std::string::npos) continue;
      for (const std::string& text : bad) {
        std::string line = good_[i];
        add(i, line.replace(at, good.size(), text), "", "bad text");
      }
    }
  }

  void durations(const std::string& good) {
    for (std::size_t i = 0; i < good_.size(); ++i) {
      if (!good_[i].ends_with(": " + good)) continue;
      const std::string before = good_[i].substr(0, good_[i].size() - good.size());
      add(i, before + "12", "12s", "bad duration");
      add(i, before + "12 seconds", "12s", "bad duration");
      add(i, before + "5min", "5m", "bad duration");
    }
  }

  void interpolations() {
    const std::pair<const char*, std::pair<const char*, const char*>> kTexts[] = {
        {"${PORT:-3000}", {"${PORT:3000}", "${PORT:-3000}"}},
        {"${PORT:-3000}", {"${PORT=3000}", "${PORT:-3000}"}},
        {"${DATABASE:-app}", {"${DATABASE:=app}", "${DATABASE:-app}"}},
        {"${DATABASE:-app}", {"${DATABASE:-app", "${DATABASE:-app}"}},
        {"${TAG:-latest}", {"${TAG", "${TAG}"}},
        {"${TAG:-latest}", {"${ TAG}", "${TAG}"}},
        {"${PASSWORD:-secret}", {"${PASSWORD }", "${PASSWORD}"}},
        {"${PASSWORD:-secret}", {"${}", "$"}},
    };
    for (const auto& [good, bad] : kTexts)
      for (std::size_t i = 0; i < good_.size(); ++i) {
        const std::size_t at = good_[i].find(good);
        if (at == std::string::npos) continue;
        std::string line = good_[i];
        add(i, line.replace(at, std::string(good).size(), bad.first), bad.second,
            "bad interpolation");
      }
  }

  void references() {
    const std::pair<const char*, const char*> kNames[] = {
        {"      - front", "front"},          {"      - back", "back"},
        {"      - uploads:/srv", "uploads"}, {"      - token", "token"},
        {"      cache:", "cache"},           {"      api:", "api"},
        {"      - database", "database"},    {"      - search", "search"},
        {"        source: data", "data"},    {"      - source: settings", "settings"},
        {"      - data:/var", "data"}};
    for (const auto& [begin, name] : kNames)
      for (std::size_t i = 0; i < good_.size(); ++i) {
        if (!good_[i].starts_with(begin)) continue;
        std::string line = good_[i];
        const std::string wrong = std::string(name) + "x";
        add(i, line.replace(line.find(name), std::string(name).size(), wrong), name,
            "unknown reference");
      }
  }

  void cycles() {
    for (std::size_t i = 0; i < good_.size(); ++i) {
      const std::string key = key_of(good_[i]);
      const bool leaf = key == "cache" || key == "database" || key == "search";
      if (!leaf || !good_[i].starts_with("  ") || good_[i][2] == ' ') continue;
      for (const char* other : {"web", "wiki"}) {
        const std::string text = joined(good_);
        if (text.find(std::string("  ") + other + ":\n") == std::string::npos) continue;
        std::vector<std::string> lines = good_;
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                     std::string("    depends_on: [") + other + "]");
        Broken broken{.text = joined(lines),
                      .lines = {},
                      .suggestion = "dependencies",
                      .what = "cycle through " + key};
        // Any of the lines that make the circle is right.
        for (std::size_t line = 0; line < lines.size(); ++line)
          if (lines[line].find("depends_on") != std::string::npos ||
              lines[line] == "      cache:" || lines[line] == "      - database" ||
              lines[line] == "      - search")
            broken.lines.insert(static_cast<int>(line) + 1);
        found_.push_back(std::move(broken));
      }
    }
  }

  void merge_tags() {
    const std::pair<const char*, const char*> kTags[] = {
        {"!rest", "!reset"},       {"!resett", "!reset"},       {"!Reset", "!reset"},
        {"!overide", "!override"}, {"!overwride", "!override"}, {"!Override", "!override"}};
    for (const auto& [wrong, right] : kTags)
      for (const char* value : {"[]", "{}", "null"})
        found_.push_back({.text = "services:\n  web:\n    image: i\n    ports: " +
                                  std::string(wrong) + " []\n    command: " + wrong +
                                  (std::string(value) == "null" ? " []" : " [x]") + "\n",
                          .lines = {4, 5},
                          .suggestion = right,
                          .what = std::string("wrong tag ") + wrong});
  }

  std::vector<std::string> good_;
  std::vector<Broken> found_;
};

std::vector<Diagnostic> check(const std::string& text) {
  const LoadOptions options{.files = {"compose.yaml"},
                            .project_name = "p",
                            .working_directory = "/nowhere",
                            .texts = {{"/nowhere/compose.yaml", text}}};
  try {
    return load(options).warnings;
  } catch (const InvalidManifest& invalid) {
    return invalid.diagnostics();
  }
}

/// The first error, else the first warning that advises.
const Diagnostic* main_of(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics)
    if (diagnostic.severity == Severity::error) return &diagnostic;
  for (const Diagnostic& diagnostic : diagnostics)
    if (!diagnostic.suggestion.empty()) return &diagnostic;
  return nullptr;
}

TEST(Mutation, TheFilesAreGoodBeforeTheyAreBroken) {
  for (const char* text : {kShop, kWiki})
    for (const Diagnostic& diagnostic : check(text))
      EXPECT_EQ(diagnostic.severity, Severity::warning) << render(diagnostic);
}

TEST(Mutation, EveryMistakeIsSaidToBeWhereItIsAndMostlyWithWhatToWrite) {
  const std::vector<Broken> broken = Mutations().all();
  EXPECT_GE(broken.size(), 200U);
  std::size_t advised = 0;
  std::string without;
  for (const Broken& file : broken) {
    const std::vector<Diagnostic> found = check(file.text);
    const Diagnostic* first = main_of(found);
    ASSERT_NE(first, nullptr) << file.what << " is not noticed in\n" << file.text;
    EXPECT_TRUE(file.lines.contains(first->at.line)) << file.what << "\n" << render(*first);
    const std::string advice = first->hint + " " + first->suggestion;
    if (!first->hint.empty() && advice.find(file.suggestion) != std::string::npos)
      ++advised;
    else
      without += file.what + "\n" + render(*first);
  }
  EXPECT_GE(advised * 10, broken.size() * 9) << without;
  RecordProperty("files", static_cast<int>(broken.size()));
  RecordProperty("advised", static_cast<int>(advised));
}

}  // namespace
}  // namespace manifests
