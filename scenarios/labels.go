package scenarios

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// checkLabels refuses what Kubernetes would not take for a label, and what no
// selector could therefore name.
func checkLabels(f *fileScenario) error {
	for _, key := range slices.Sorted(maps.Keys(f.Metadata.Labels)) {
		pair := yamlnode.Pair(yamlnode.Pair(yamlnode.Pair(f.body, "metadata").Value, "labels").Value, key)
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return yamlnode.At(pair.Key, "", "the label %q: %s", key, strings.Join(wrong, "; "))
		}
		if wrong := validation.IsValidLabelValue(f.Metadata.Labels[key]); len(wrong) > 0 {
			return yamlnode.At(pair.Value, "", "the label %s is %q: %s", key, f.Metadata.Labels[key], strings.Join(wrong, "; "))
		}
	}
	return nil
}
