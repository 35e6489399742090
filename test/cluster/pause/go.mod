module github.com/meshchaos/meshchaos/test/cluster/pause

go 1.26
