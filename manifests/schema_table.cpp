// The table of what a file may hold at its top, and of networks, volumes, configs and secrets.
#include "manifests/schema_rules.hpp"

namespace manifests {

namespace {

using namespace rules;

// ---------------------------------------------------------------- top level

const Rule external{.forms = form::boolean | form::string | form::map,
                    .reads = Reads::boolean,
                    .keys = {{"name", &text}}};
const Rule ipam_pool{.forms = form::map,
                     .keys = {{"subnet", &text},
                              {"ip_range", &text},
                              {"gateway", &text},
                              {"aux_addresses", &text_options}}};
const Rule ipam_config{.forms = form::list, .item = &ipam_pool};
const Rule ipam{.forms = form::map,
                .keys = {{"driver", &text}, {"config", &ipam_config}, {"options", &text_options}}};
const Rule network{.forms = form::map | form::null,
                   .keys = {{"name", &text},
                            {"driver", &text},
                            {"driver_opts", &options},
                            {"ipam", &ipam},
                            {"external", &external},
                            {"internal", &flag},
                            {"enable_ipv4", &flag},
                            {"enable_ipv6", &flag},
                            {"attachable", &flag},
                            {"labels", &dictionary}}};
const Rule volume{.forms = form::map | form::null,
                  .keys = {{"name", &text},
                           {"driver", &text},
                           {"driver_opts", &options},
                           {"external", &external},
                           {"labels", &dictionary}}};
const Rule secret{.forms = form::map,
                  .keys = {{"name", &text},
                           {"environment", &text},
                           {"file", &text},
                           {"external", &external},
                           {"labels", &dictionary},
                           {"driver", &text},
                           {"driver_opts", &options},
                           {"template_driver", &text}}};
const Rule config{.forms = form::map,
                  .keys = {{"name", &text},
                           {"content", &text},
                           {"environment", &text},
                           {"file", &text},
                           {"external", &external},
                           {"labels", &dictionary},
                           {"template_driver", &text}}};
const Rule model{.forms = form::map,
                 .keys = {{"name", &text},
                          {"model", &text},
                          {"context_size", &strict_integer},
                          {"runtime_flags", &texts}},
                 .required = {"model"}};
const Rule include_item{
    .forms = form::string | form::map,
    .keys = {{"path", &text_or_texts}, {"env_file", &text_or_texts}, {"project_directory", &text}},
    .extensible = false};

const Rule include{.forms = form::list, .item = &include_item};
const Rule services{.forms = form::map, .value = &service, .names = &kName, .extensible = false};
const Rule models{.forms = form::map, .value = &model, .names = &kName, .extensible = false};
const Rule networks{.forms = form::map, .value = &network, .names = &kName, .extensible = false};
const Rule volumes{.forms = form::map, .value = &volume, .names = &kName, .extensible = false};
const Rule secrets{.forms = form::map, .value = &secret, .names = &kName, .extensible = false};
const Rule configs{.forms = form::map, .value = &config, .names = &kName, .extensible = false};

const Rule file{.forms = form::map,
                .keys = {{"version", &text},
                         {"name", &text},
                         {"include", &include},
                         {"services", &services},
                         {"models", &models},
                         {"networks", &networks},
                         {"volumes", &volumes},
                         {"secrets", &secrets},
                         {"configs", &configs}}};

}  // namespace

const Rule& compose_schema() { return file; }

}  // namespace manifests
