package rules

import "encoding/json"

// Rewritten says whether an object was written again, or deleted and created
// anew, between two readings of it, though it may now be equal to what it was:
// by its metadata.uid and metadata.generation, which grows with every change of
// the spec and with no other (Kubernetes' API conventions, "Metadata"). It is
// false where the manifests do not tell.
func Rewritten(before, after *Object) bool {
	was, is := lifeOf(before), lifeOf(after)
	return was.UID != "" && is.UID != "" && was.UID != is.UID ||
		was.Generation != 0 && is.Generation != 0 && was.Generation != is.Generation
}

type life struct {
	UID        string `json:"uid"`
	Generation int64  `json:"generation"`
}

func lifeOf(o *Object) life {
	var manifest struct {
		Metadata life `json:"metadata"`
	}
	if o == nil || json.Unmarshal(o.Manifest, &manifest) != nil {
		return life{}
	}
	return manifest.Metadata
}
