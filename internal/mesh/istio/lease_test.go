//go:build e2e

package istio

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// entered is the ledger of a run that claims the hosts, stored.
func entered(t *testing.T, m *Mesh, ahead time.Duration, claims ...journal.Claim) (*journal.Ledger, error) {
	t.Helper()
	l := &journal.Ledger{Run: m.run, Scenario: "canary", By: "anna@laptop", Started: time.Now(), Deadline: time.Now().Add(ahead), Claims: claims}
	return l, m.Enter(t.Context(), l)
}

func leaseIn(t *testing.T, m *Mesh, c journal.Claim) *coordination.Lease {
	t.Helper()
	lease, err := m.kube.CoordinationV1().Leases(c.Namespace).Get(t.Context(), leaseNameOf(c), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// other opens a mesh on the namespace of another one, for another run.
func other(t *testing.T, m *Mesh, run string) *Mesh {
	t.Helper()
	again, err := Open(t.Context(), Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: m.namespace, Run: run})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return again
}

func TestOfTwoRunsInTwoNamespacesOneHoldsAHost(t *testing.T) {
	shop, films := open(t), open(t)
	films.run = "t2"
	own := journal.Claim{Namespace: films.namespace, What: "aaa." + films.namespace + ".svc.cluster.local"}
	host := journal.Claim{Namespace: shop.namespace, What: "ratings." + shop.namespace + ".svc.cluster.local"}
	wide := journal.Claim{Namespace: shop.namespace, What: "*.example.com"}
	if _, err := entered(t, shop, time.Minute, host, wide); err != nil {
		t.Fatal(err)
	}
	lease := leaseIn(t, shop, host)
	if lease == nil || *lease.Spec.HolderIdentity != "t1 of canary by anna@laptop" || *lease.Spec.LeaseDurationSeconds != 60 || lease.Annotations[ledgerKey] != shop.namespace+"/meshchaos-ledger-t1" || leaseIn(t, shop, wide) == nil {
		t.Fatalf("it is held by %+v", lease)
	}

	_, err := entered(t, films, time.Minute, own, host)
	var held *mesh.HeldError
	if !errors.As(err, &held) || held.Holder.Run != "t1" || held.Holder.Scenario != "canary" || held.Holder.By != "anna@laptop" || held.Holder.Namespace != shop.namespace || held.Holder.What != host.What {
		t.Fatalf("the second is told %v, %+v", err, held)
	}
	if leaseIn(t, films, own) != nil {
		t.Error("the second holds one of two")
	}
	holders, err := films.Holders(t.Context(), []journal.Claim{own, host})
	if err != nil || len(holders) != 1 || holders[0].Run != "t1" || time.Since(holders[0].Since) > time.Minute {
		t.Errorf("the holders are %+v, %v", holders, err)
	}

	if err := shop.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if leaseIn(t, shop, host) != nil || leaseIn(t, shop, wide) != nil {
		t.Error("what was held is not given back")
	}
	if _, err := entered(t, films, time.Minute, own, host); err != nil {
		t.Errorf("what was given back is not to be had: %v", err)
	}
	holders, err = shop.Holders(t.Context(), nil)
	if err != nil || len(holders) != 1 || holders[0].Run != "t2" || holders[0].Namespace != films.namespace {
		t.Errorf("what a run of another namespace holds here is %+v, %v", holders, err)
	}
	if err := films.Settle(t.Context(), "t2"); err != nil {
		t.Fatal(err)
	}
}

// At a gateway the hosts of all namespaces meet. Whoever holds one of them keeps others
// off that one alone.
func TestOfTwoRunsInTwoNamespacesOneHoldsAHostOfTheGateway(t *testing.T) {
	shop, films := open(t), open(t)
	films.run = "t2"
	gateway := open(t).namespace // nobody's Leases but these are in it
	host, other := journal.Claim{Namespace: gateway, What: "www.example.com"}, journal.Claim{Namespace: gateway, What: "www.example.org"}
	if _, err := entered(t, shop, time.Minute, host); err != nil {
		t.Fatal(err)
	}
	for claim, held := range map[journal.Claim]int{host: 1, other: 0} {
		holders, err := films.Holders(t.Context(), []journal.Claim{claim})
		if err != nil || len(holders) != held || held > 0 && (holders[0].Run != "t1" || holders[0].What != host.What) {
			t.Errorf("%s is held by %+v, %v", claim.What, holders, err)
		}
	}
	var held *mesh.HeldError
	if _, err := entered(t, films, time.Minute, host); !errors.As(err, &held) {
		t.Errorf("a second run takes it: %v", err)
	}
	if _, err := entered(t, films, time.Minute, other); err != nil {
		t.Errorf("another host is not to be had: %v", err)
	}
	for _, m := range []*Mesh{shop, films} {
		if err := m.Settle(t.Context(), m.run); err != nil {
			t.Fatal(err)
		}
	}
}

// A run gives back what it holds when it finds that another one began before it, and
// may wait for that only a moment.
func TestWhatWasGivenBackIsTakenAnewAtOnce(t *testing.T) {
	m := open(t)
	host := journal.Claim{Namespace: m.namespace, What: "ratings." + m.namespace + ".svc.cluster.local"}
	further := journal.Claim{Namespace: m.namespace, What: "reviews." + m.namespace + ".svc.cluster.local"}
	if _, err := entered(t, m, time.Minute, host); err != nil {
		t.Fatal(err)
	}
	if err := m.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if _, err := entered(t, m, time.Minute, host); err != nil {
		t.Fatal(err)
	}
	if leaseIn(t, m, host) == nil {
		t.Error("what was given back is not held again")
	}
	if _, err := entered(t, m, time.Minute, host, further); err != nil {
		t.Fatal(err)
	}
	if leaseIn(t, m, further) == nil {
		t.Error("what the plan has claimed since is not held")
	}
	if err := m.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAKilledRunHeldIsTakenOverOnceItsLedgerIsGone(t *testing.T) {
	shop, films := open(t), open(t)
	films.run = "t2"
	host := journal.Claim{Namespace: shop.namespace, What: "ratings." + shop.namespace + ".svc.cluster.local"}
	if _, err := entered(t, films, -time.Second, host); err != nil { // it was killed, and its time has come
		t.Fatal(err)
	}
	lease := leaseIn(t, shop, host)
	lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now().Add(-time.Minute)} // Kubernetes takes none that lasts less than a second
	if _, err := shop.kube.CoordinationV1().Leases(shop.namespace).Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	var held *mesh.HeldError
	if _, err := entered(t, shop, time.Minute, host); !errors.As(err, &held) || held.Holder.Alive() || held.Holder.Namespace != films.namespace {
		t.Fatalf("it is taken over while the ledger stands: %v", err)
	}
	if err := shop.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if lease := leaseIn(t, shop, host); lease == nil || lease.Labels[instance] != "t2" {
		t.Fatalf("who could not have it has given it back: %v", lease)
	}

	if err := films.kube.CoreV1().ConfigMaps(films.namespace).Delete(t.Context(), partName("t2", 0), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ledger, err := entered(t, shop, time.Minute, host)
	if err != nil {
		t.Fatalf("it is not taken over although the ledger is gone: %v", err)
	}
	first := leaseIn(t, shop, host)
	if first.Labels[instance] != "t1" || time.Since(first.Spec.AcquireTime.Time) > time.Minute {
		t.Fatalf("it is held by %v", first)
	}
	if err := films.Settle(t.Context(), "t2"); err != nil || leaseIn(t, shop, host) == nil {
		t.Errorf("the killed run gives back what it has no more: %v", err)
	}

	ledger.Deadline = time.Now().Add(2 * time.Minute)
	shop.held.renewed = time.Time{}
	if err := shop.Enter(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	renewed := leaseIn(t, shop, host)
	if !renewed.Spec.AcquireTime.Equal(first.Spec.AcquireTime) || !renewed.Spec.RenewTime.After(first.Spec.RenewTime.Time) || *renewed.Spec.LeaseDurationSeconds != 120 {
		t.Errorf("it is renewed as %+v", renewed.Spec)
	}
	// restore, from another machine
	if err := other(t, shop, "restore").Settle(t.Context(), "t1"); err != nil || leaseIn(t, shop, host) != nil {
		t.Errorf("restore does not give it back: %v", err)
	}
}

// Who restores may have no role in the namespace of a host.
func TestALeaseThatNobodyMayGiveBackKeepsNoLedger(t *testing.T) {
	m := open(t)
	host := journal.Claim{Namespace: m.namespace, What: "ratings." + m.namespace + ".svc.cluster.local"}
	if _, err := entered(t, m, -time.Second, host); err != nil {
		t.Fatal(err)
	}
	limited := as(t, m, []rbac.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "delete"}},
	})
	if err := limited.Settle(t.Context(), "t1"); err != nil {
		t.Error(err)
	}
	if ledgers, err := m.Ledgers(t.Context()); err != nil || len(ledgers) != 0 || leaseIn(t, m, host) == nil {
		t.Errorf("the ledgers are %v, %v", ledgers, err)
	}
}

func TestALeaseHasANameWhateverItIsOf(t *testing.T) {
	for what, want := range map[string]string{
		"ratings.shop.svc.cluster.local":  "meshchaos-ratings.shop.svc.cluster.local",
		"*.shop.svc.cluster.local":        "",
		"Telemetry/ingress/logs":          "",
		strings.Repeat("a.", 130) + "com": "",
	} {
		got := leaseNameOf(journal.Claim{What: what})
		if want == "" && len(got) != len(leaseName)+64 || want != "" && got != want {
			t.Errorf("the Lease of %s is named %s", what, got)
		}
	}
}
