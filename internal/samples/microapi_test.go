package samples

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMicroAPITellsItsVersionAndNotItsPod(t *testing.T) {
	for version, want := range map[string]string{
		"v1": `{"code":0,"data":"无依赖测试接口返回->OK!","message":"成功"}`,
		"v2": `{"code":0,"data":"V3|无依赖测试接口返回->OK!","message":"成功"}`,
	} {
		w, err := Lookup("micro-api", version)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{w.Name() + "-1", w.Name() + "-2", w.Name() + "-3"}, w.Pods()); diff != "" {
			t.Errorf("pods (-want +got):\n%s", diff)
		}
		town := newLoopback(t)
		town.serve(w, nil)
		if got := town.get("http://micro-api:19090/test/test", nil); got.status != 200 || got.body != want {
			t.Errorf("%s answers %d %s, want %s", version, got.status, got.body, want)
		}
		if got := town.get("http://micro-api:19090/test", nil); got.status != 404 {
			t.Errorf("%s answers /test with %d, want 404", version, got.status)
		}
	}
}
