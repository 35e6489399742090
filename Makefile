IMAGE   ?= meshchaos/meshchaos:dev
ARCHIVE ?= build/meshchaos.tar
LINT    := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# To make an input that is of interest as short as can be would take a minute each.
FUZZ    := go test -run '^$$' -fuzztime 60s -fuzzminimizetime 20x -fuzz

.DEFAULT_GOAL := help
.PHONY: help build test lint race e2e fidelity bench fuzz browser junit golden image fortio

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program, as build/meshchaos
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o build/meshchaos ./cmd/meshchaos

test: lint ## the linters, and all tests that need nothing but Go
	go test -timeout 20m ./...

lint: ## go vet, gofmt and golangci-lint; shellcheck if it is installed
	$(LINT) run --allow-parallel-runners ./...
	@! command -v shellcheck >/dev/null || shellcheck .ci/run test/cluster/cluster test/cluster/e2e

race: ## all tests under the race detector
	go test -race ./...

e2e: ## the scenarios on both meshes, on a real cluster; as root, see test/cluster
	test/cluster/e2e

fidelity: ## the library on both meshes, and Envoy beside the embedded sidecar call by call, into docs/fidelity.md; as make e2e
	MESHCHAOS_FIDELITY_DOC=$(CURDIR)/docs/fidelity.md MESHCHAOS_FIDELITY=$${MESHCHAOS_FIDELITY:-300} test/cluster/e2e -run 'BothMeshes|AsEnvoyDoes' ./test/e2e ./test/fidelity

bench: ## the engines beside fortio's own runner, wrk, h2load, hey and vegeta, as far as those can be had, what a sidecar adds beside Envoy, what a run costs, what many proxies do, and what ten thousand connections and ten million requests take
	go run ./test/peers
	go test -run '^$$' -bench Engines -benchtime 2s ./loadgen
	go test -run '^$$' -bench Connections -benchtime 1x ./loadgen
	go test -run '^$$' -bench Hop -benchtime 2s ./internal/sidecar
	go test -run '^$$' -bench Run -benchtime 3x ./test/scenarios
	go test -run '^$$' -bench Proxies -benchtime 1x ./test/proxies
	go test -run '^$$' -bench Long -benchtime 10000000x ./loadgen ./internal/evidence

fuzz: ## the readers of scenarios, expectations, routes, access logs and answers, a minute each
	$(FUZZ) FuzzRead ./scenarios
	$(FUZZ) FuzzCompile ./internal/check
	$(FUZZ) FuzzSentence ./internal/check
	$(FUZZ) FuzzRoute ./internal/sidecar/config
	$(FUZZ) FuzzReadLog ./internal/envoy
	$(FUZZ) FuzzReader ./internal/http1

browser: ## the sample pages and the reports in Debian's Chromium, by axe's rules, which it has from npm
	command -v chromium >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium; }
	command -v npm >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q npm; }
	go test -count=1 -tags browser ./internal/samples/... ./report/...

junit: ## junit.xml by the published schemas of Ant's task and of Jenkins, with npm and Debian's xmllint
	command -v xmllint >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q libxml2-utils; }
	command -v npm >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q npm; }
	go test -count=1 -tags junit ./report/junit

golden: ## what the faces of a report make of the records of tests, and the example and the transcripts in the docs, anew
	go test $$(grep -l 'flag.Bool("update"' report/*/*_test.go | xargs -n 1 dirname | sort -u | sed 's,^,./,') -update
	go test ./cmd/meshchaos -run 'Example|Readme|Golden' -update

image: build ## the container image IMAGE as the archive ARCHIVE, without Docker
	go run ./test/cluster/image -name $(IMAGE) -o $(ARCHIVE) -entrypoint /meshchaos -user 65532:65532 build/meshchaos:/meshchaos

fortio: ## an image of fortio's own REST handlers, for the tests, as build/fortio.tar
	CGO_ENABLED=0 go build -C test/fortio -trimpath -ldflags '-s -w' -o $(CURDIR)/build/fortio .
	go run ./test/cluster/image -name meshchaos/fortio:dev -o build/fortio.tar -entrypoint /fortio -user 65532:65532 build/fortio:/fortio
