package lint

// consecutiveErrors warns of the old name of consecutive5xxErrors, which Istio
// still takes and ignores, so that Envoy's five are in force.
func consecutiveErrors(f *finder) {
	for path, p := range f.policies() {
		if p.outlier.GetConsecutiveErrors() != 0 { //nolint:staticcheck // the very point
			f.warn(path+".outlierDetection.consecutiveErrors", "consecutiveErrors is old, and Istio ignores it; write consecutive5xxErrors or consecutiveGatewayErrors")
		}
	}
}
