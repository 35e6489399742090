package rules

import (
	"fmt"
	"maps"

	networking "istio.io/api/networking/v1alpha3"
)

// subset returns the name of the subset that is a version of a service: the one
// named after the version, made where it is missing, or, where that name stands
// for something else, one whose only label is the version.
func (d *draft) subset(service, version string) (string, error) {
	owner, err := d.destinationRule(service)
	if err != nil {
		return "", err
	}
	rule := owner.Spec.(*networking.DestinationRule)
	labels := map[string]string{"version": version}
	taken := false
	other := ""
	for _, s := range rule.Subsets {
		exact := maps.Equal(s.Labels, labels)
		switch {
		case exact && s.Name == version:
			return version, nil
		case exact && other == "":
			other = s.Name
		}
		taken = taken || s.Name == version
	}
	switch {
	case !taken && dnsLabel.MatchString(version):
		rule.Subsets = append(rule.Subsets, &networking.Subset{Name: version, Labels: labels})
		return version, nil
	case other != "":
		return other, nil
	case taken:
		return "", fmt.Errorf("%s has a subset %s with other labels than version: %s; give it a subset with that label alone", owner.Ref, version, version)
	}
	return "", fmt.Errorf("the version %q cannot be the name of a subset; give %s a subset with the label version: %s alone", version, owner.Ref, version)
}
