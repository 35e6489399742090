package config

import networking "istio.io/api/networking/v1alpha3"

// Million is the denominator of Istio's percentages, as it translates them into
// Envoy's FractionalPercent.
const Million = 1_000_000

// PerMillion is a percentage as Envoy has it: what is below a ten-thousandth of a
// percent is cut off.
func PerMillion(p *networking.Percent) uint32 { return uint32(p.GetValue() * (Million / 100)) }
