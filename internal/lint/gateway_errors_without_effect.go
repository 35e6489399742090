package lint

// defaultConsecutive5xx is Envoy's.
const defaultConsecutive5xx = 5

// gatewayErrorsWithoutEffect warns of a number of gateway errors that is never
// reached, since they count among the errors 5xx, of which fewer are enough, or as
// many.
func gatewayErrorsWithoutEffect(f *finder) {
	for path, p := range f.policies() {
		gateway := p.outlier.GetConsecutiveGatewayErrors().GetValue()
		all, by := uint32(defaultConsecutive5xx), " (the default)"
		if p.outlier.GetConsecutive_5XxErrors() != nil {
			all, by = p.outlier.Consecutive_5XxErrors.Value, ""
		}
		if all > 0 && gateway >= all {
			f.warn(path+".outlierDetection.consecutiveGatewayErrors", "it never ejects: gateway errors are errors 5xx too, of which %d%s are enough; write fewer than those, or consecutive5xxErrors: 0 beside it", all, by)
		}
	}
}
