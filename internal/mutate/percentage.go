package mutate

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// percentage halves that of a fault.
func percentage(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if d := delayOf(entry); d != nil && !had(before, entry, delayOf) {
			touches = append(touches, w.halved(at, "delay", percent(d.Percentage, d.Percent), func(e *networking.HTTPRoute, now float64) { //nolint:staticcheck // Istio still reads it
				e.Fault.Delay.Percentage, e.Fault.Delay.Percent = &networking.Percent{Value: now}, 0 //nolint:staticcheck // Istio still reads it
			}))
		}
		if a := abortOf(entry); a != nil && !had(before, entry, abortOf) {
			touches = append(touches, w.halved(at, "abort", percent(a.Percentage, 0), func(e *networking.HTTPRoute, now float64) {
				e.Fault.Abort.Percentage = &networking.Percent{Value: now}
			}))
		}
	})
	return w.grouped(touches)
}

// mirrored halves the percentage of a mirror.
func mirrored(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if entry.Mirror != nil && !had(before, entry, mirrorOf) {
			was := 100.0
			if entry.MirrorPercentage != nil {
				was = entry.MirrorPercentage.Value
			}
			touches = append(touches, w.halved(at, "mirror", was, func(e *networking.HTTPRoute, now float64) {
				e.MirrorPercentage = &networking.Percent{Value: now}
			}))
		}
	})
	return w.grouped(touches)
}

// halved halves the percentage of something.
func (w written) halved(at spot, of string, was float64, set func(*networking.HTTPRoute, float64)) touch {
	return touch{
		spot: at, id: of + "-percentage-halved", what: fmt.Sprintf("the %s of %s is of %g%%, not of %g%%", of, w.host(at), was/2, was),
		do: func(o *rules.Object, index int, _ string) { set(entryOf(o, index), was/2) },
	}
}

func percent(percentage *networking.Percent, whole int32) float64 {
	if percentage == nil {
		return float64(whole)
	}
	return percentage.Value
}
