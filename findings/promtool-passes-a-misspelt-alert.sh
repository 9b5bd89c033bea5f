#!/usr/bin/env bash
# A unit test of promtool passes if it expects no alert under a name that no rule has.
#
# Expected: a test that names an alert which is in none of the rule files fails, as it does if rule_files names no file.
# Happens:  with empty exp_alerts it passes. So does a test whose input series is misspelt, because nothing fires then.
# Matters:  "does not fire" is half of the tests of an alert. After an alert is renamed, all of these go on passing, and test
#   nothing. Check beside promtool that each alertname of a test is a rule, and that each alert also has a test that fires.
# Versions: promtool of Debian's package prometheus (2.42.0+ds-5 on bookworm). Seen on 2026-11-28.
# Read:     Prometheus, "Unit testing for rules". The maintainers keep it so: prometheus/prometheus#8462. A missing name
#   is an error since prometheus/prometheus#8504.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root prometheus
dpkg-deb --extract prometheus_*.deb .
promtool=$folder/usr/bin/promtool
"$promtool" --version | head -1

cat >rules.yml <<'YAML'
groups:
  - name: mail
    rules:
      - alert: MailsAreLate
        expr: oldest_mail_seconds > 60
YAML
# The series is far above the limit, so the alert of the rule fires if both names are right.
test_with() {
  cat >test.yml <<YAML
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{ series: $1, values: 100x5 }]
    alert_rule_test: [{ eval_time: 3m, alertname: $2, exp_alerts: [] }]
YAML
  "$promtool" test rules test.yml >output.txt 2>&1 && echo passes || echo fails
}
right=$(test_with oldest_mail_seconds MailsAreLate)
alert=$(test_with oldest_mail_seconds MailsAreLatte)
series=$(test_with oldest_mail_second MailsAreLate)
echo "a test that expects no alert $right with the right names, $alert with a misspelt alert, $series with a misspelt series"
[[ $right == fails && $alert == passes && $series == passes ]]
