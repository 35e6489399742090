package journal

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// FieldManager signs what a run writes, in metadata.managedFields.
const FieldManager = "meshchaos"

// Signed says whether a run owns fields of an object that it did not own when that was
// as it was: it is not put back before their owners have them again, whose next
// server-side apply would fail with a conflict. Of an object without owners, as that of
// a mesh that keeps none, there are none to give anything back to.
func Signed(was, is *rules.Object) bool {
	owners := managersOf(was)
	return len(owners) > 0 && slices.ContainsFunc(managersOf(is), func(entry any) bool {
		fields, _ := entry.(map[string]any)
		before, _ := managed(owners, entry).(map[string]any)
		// Of fields that were its own before, the time is that of the run's last write.
		return fields["manager"] == FieldManager && (before == nil || !reflect.DeepEqual(before["fieldsV1"], fields["fieldsV1"]))
	})
}

// Authors returns the names by which others have written an object between two
// readings of it, as kubectl-edit, sorted: the field managers of its
// metadata.managedFields, without those of the first reading that have written
// nothing since. It is empty where the manifests do not tell, as of an object that
// is gone.
func Authors(before, after *rules.Object) []string {
	known := managersOf(before)
	var names []string
	for _, entry := range managersOf(after) {
		if reflect.DeepEqual(managed(known, entry), entry) {
			continue
		}
		fields, _ := entry.(map[string]any)
		if name, _ := fields["manager"].(string); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func managersOf(o *rules.Object) []any {
	var manifest struct {
		Metadata struct{ ManagedFields []any }
	}
	if o == nil || json.Unmarshal(o.Manifest, &manifest) != nil {
		return nil
	}
	return manifest.Metadata.ManagedFields
}
