package verdicts

import "github.com/meshchaos/meshchaos/scenarios"

// watched is a slow cohort with a control group, of which the file says how
// long it is there at least.
const watched = `
  app: httpbin
  apply:
    - fault: {service: httpbin, when: {end-user: jason}, delay: 200ms}
  load:
    slow: {get: "http://httpbin:8000/get", headers: {end-user: jason}, connections: 2, requests: 4}
    others: {get: "http://httpbin:8000/headers", connections: 24, qps: 20, while: slow}
  expect:
    - slow.status[200] == slow.sent && slow.min >= 190ms
    - others.status[200] == others.sent
`

// few bounds the failures of forty requests.
const few = `
  app: httpbin
  apply:
    - fault: {service: httpbin, delay: 20ms}
  load:
    client: {get: "http://httpbin:8000/get", connections: 2, requests: 40}
  expect:
    - client.status[200] == client.sent
    - client.status[503] <= 20
`

// overrides are the options -n, -c and --qps against what the file promises.
func overrides() []hand {
	const folder = "2.5-while-throughout"
	n := func(requests int64) scenarios.Override { return scenarios.Override{Requests: &requests} }
	named := func(requests int64) scenarios.Override {
		return scenarios.Override{Requests: &requests, Cohort: "others"}
	}
	connections := 8
	return []hand{
		{Row: row(folder, "must-pass-hand-n-of-all", "pass"), text: watched + "    - others.sent >= 5\n", meddle: honest, with: n(6)},
		{Row: row(folder, "must-pass-hand-n-of-the-control-group", "pass"), text: watched + "    - others.sent >= 5\n", meddle: honest, with: named(2)},
		{Row: row(folder, "must-not-pass-hand-fewer-than-connections", Refused, "connections"), text: watched, meddle: honest, with: n(1)},
		{Row: row("2.5-fewer-than-connections", "must-not-pass-hand-by-n", Refused, "connections"), text: watched, meddle: honest, with: n(1)},
		{Row: row("2.5-fewer-than-connections", "must-not-pass-hand-by-c", Refused, "connections"), text: watched, meddle: honest, with: scenarios.Override{Connections: &connections}},
		{Row: row("2.3-small-window", "must-not-pass-hand-by-n", Refused, "client.status[503] <= 20", "always true"), text: few, meddle: honest, with: n(20)},
		{Row: row("2.3-small-window", "must-pass-hand-by-n", "pass"), text: few, meddle: honest, with: n(30)},
	}
}
