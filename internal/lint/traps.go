package lint

// traps are the known ones, in the order in which they are listed.
func traps() []trap {
	return []trap{
		{id: "fault-beside-timeout", find: faultBesideTimeout},
		{id: "fault-without-percentage", dead: true, find: faultWithoutPercentage},
		{id: "fault-of-zero-percent", dead: true, find: faultOfZeroPercent},
		{id: "fault-below-one-percent", find: faultBelowOnePercent},
		{id: "fault-with-old-percent", find: faultWithOldPercent},
		{id: "fault-without-effect", dead: true, find: faultWithoutEffect},
		{id: "mirror-of-zero-percent", dead: true, find: mirrorOfZeroPercent},
		{id: "per-try-timeout-without-retry", find: perTryTimeoutWithoutRetry},
		{id: "per-try-timeout-too-long", find: perTryTimeoutTooLong},
		{id: "consecutive-errors", find: consecutiveErrors},
		{id: "ejects-nobody", wide: true, find: ejectsNobody},
		{id: "gateway-errors-without-effect", find: gatewayErrorsWithoutEffect},
		{id: "zero-limit", find: zeroLimit},
		{id: "pool-that-queues", find: poolThatQueues},
		{id: "policy-without-effect", dead: true, find: policyWithoutEffect},
		{id: "two-virtual-services", wide: true, find: twoVirtualServices},
		{id: "two-destination-rules", wide: true, find: twoDestinationRules},
		{id: "missing-subset", wide: true, find: missingSubset},
		{id: "missing-weight", find: missingWeight},
		{id: "unreachable-entry", dead: true, find: unreachableEntry},
		{id: "unbound-gateway", dead: true, find: unboundGateway},
		{id: "source-beside-gateways", find: sourceBesideGateways},
		{id: "missing-host", wide: true, find: missingHost},
		{id: IdleSilence, find: idleSilence},
	}
}
