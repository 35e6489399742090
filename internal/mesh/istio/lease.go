package istio

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// What a run claims it holds by a Lease each, which says what it is of, who holds it,
// and where their ledger stands.
const (
	leaseName      = "meshchaos-"
	leaseComponent = "claim"
	claimKey       = "meshchaos.io/claim"
	scenarioKey    = "meshchaos.io/scenario"
	byKey          = "meshchaos.io/by"
	ledgerKey      = "meshchaos.io/ledger" // NAMESPACE/NAME

	// renewEvery is how long a Lease is let be: a ledger is stored more often than it
	// would run out.
	renewEvery = 10 * time.Second
	// takeTries bounds how often a Lease is tried that others write at the same time.
	takeTries = 5
)

// held are the Leases that this process holds for a run, as it wrote them last.
type held struct {
	run     string
	leases  map[journal.Claim]*coordination.Lease
	renewed time.Time
}

// all says whether each of the claims was taken and not given back: a run that gave way
// to another one takes them anew, and may have others by then.
func (h *held) all(claims []journal.Claim) bool {
	return !slices.ContainsFunc(claims, func(c journal.Claim) bool {
		_, had := h.leases[c]
		return !had
	})
}

// claimRights are the rights that it takes to hold claims.
func claimRights(claims []journal.Claim) []right {
	var all []right
	for _, c := range claims {
		for _, verb := range []string{"get", "create", "update", "delete"} {
			all = append(all, to(verb, coordination.GroupName, "leases", "", c.Namespace))
		}
	}
	return all
}

// hold takes what a ledger claims, all or none, or renews it. m.entering is held.
func (m *Mesh) hold(ctx context.Context, l *journal.Ledger) error {
	if m.held.run != l.Run {
		m.held = held{run: l.Run, leases: map[journal.Claim]*coordination.Lease{}}
	}
	if time.Since(m.held.renewed) < renewEvery && l.Deadline.After(time.Now()) && m.held.all(l.Claims) {
		return nil
	}
	var taken []journal.Claim
	for _, c := range l.Claims {
		_, had := m.held.leases[c]
		lease, err := m.take(ctx, l, c)
		if err != nil {
			return errors.Join(err, m.release(ctx, l.Run, taken))
		}
		m.held.leases[c] = lease
		if !had {
			taken = append(taken, c)
		}
	}
	m.held.renewed = time.Now()
	return nil
}

// take takes the Lease of a claim, or renews it.
func (m *Mesh) take(ctx context.Context, l *journal.Ledger, c journal.Claim) (*coordination.Lease, error) {
	leases, lease := m.kube.CoordinationV1().Leases(c.Namespace), leaseOf(l, c, m.namespace)
	written, err := m.held.leases[c], error(nil)
	for range takeTries {
		if written == nil {
			written, err = leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: fieldManager})
			if apierrors.IsNotFound(err) { // nobody has a host of a namespace that is not there
				return nil, nil
			}
		} else {
			lease.ResourceVersion, lease.Spec.AcquireTime = written.ResourceVersion, acquired(written, lease)
			written, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: fieldManager})
			lease.ResourceVersion = ""
		}
		if err == nil {
			return written, nil
		}
		if !apierrors.IsAlreadyExists(err) && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			break
		}
		if written, err = m.mayTake(ctx, l.Run, c); err != nil {
			return nil, err
		}
	}
	return nil, answered(fmt.Errorf("taking the Lease %s of namespace %s, which keeps other runs off %s: %w", lease.Name, c.Namespace, c.What, err))
}

// mayTake returns the Lease of a claim as it stands, nil if there is none. If another
// run holds it the error is a mesh.HeldError.
func (m *Mesh) mayTake(ctx context.Context, run string, c journal.Claim) (*coordination.Lease, error) {
	there, err := m.kube.CoordinationV1().Leases(c.Namespace).Get(ctx, leaseNameOf(c), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, answered(fmt.Errorf("reading who holds %s: %w", c.What, err))
	case there.Labels[instance] == run:
		return there, nil
	}
	holder, err := m.holderOf(ctx, there)
	if holder != nil {
		return nil, &mesh.HeldError{Holder: holder}
	}
	return there, err
}

// acquired is since when a run holds a Lease that it writes in the place of another.
func acquired(was, is *coordination.Lease) *metav1.MicroTime {
	if was.Labels[instance] == is.Labels[instance] {
		return was.Spec.AcquireTime
	}
	return is.Spec.AcquireTime
}

// leaseOf is the Lease of a claim, for the run of a ledger in a namespace.
func leaseOf(l *journal.Ledger, c journal.Claim, namespace string) *coordination.Lease {
	now := metav1.NowMicro()
	holder := fmt.Sprintf("%s of %s by %s", l.Run, l.Scenario, l.By)
	lasts := max(1, int32(math.Ceil(time.Until(l.Deadline).Seconds()))) // Kubernetes takes none below
	return &coordination.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name: leaseNameOf(c), Namespace: c.Namespace,
			Labels:      map[string]string{managedBy: programName, component: leaseComponent, instance: l.Run},
			Annotations: map[string]string{claimKey: c.What, scenarioKey: l.Scenario, byKey: l.By, ledgerKey: namespace + "/" + partName(l.Run, 0)},
		},
		Spec: coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &lasts, AcquireTime: &now, RenewTime: &now},
	}
}

// leaseNameOf is the name of the Lease of a claim: with the host in it, where that
// makes a name.
func leaseNameOf(c journal.Claim) string {
	if name := leaseName + c.What; len(validation.IsDNS1123Subdomain(name)) == 0 {
		return name
	}
	return fmt.Sprintf("%s%x", leaseName, sha256.Sum256([]byte(c.What)))
}

// holderOf is the run that holds a Lease; nil: none does any more, for it has run out
// and the run's ledger is gone.
func (m *Mesh) holderOf(ctx context.Context, lease *coordination.Lease) (*journal.Holder, error) {
	namespace, _, _ := strings.Cut(lease.Annotations[ledgerKey], "/")
	h := &journal.Holder{
		Run: lease.Labels[instance], Scenario: lease.Annotations[scenarioKey], By: lease.Annotations[byKey],
		Namespace: namespace, What: lease.Annotations[claimKey],
	}
	if from := lease.Spec.AcquireTime; from != nil {
		h.Since = from.Time
	}
	if renewed, lasts := lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds; renewed != nil && lasts != nil {
		h.Until = renewed.Add(time.Duration(*lasts) * time.Second)
	}
	if h.Alive() {
		return h, nil
	}
	there, err := m.kube.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: ledgers + "," + instance + "=" + h.Run})
	switch {
	case namespace == "" || err == nil && len(there.Items) == 0:
		return nil, nil
	case err == nil || apierrors.IsForbidden(err): // what this user may not see may stand
		return h, nil
	}
	return nil, answered(fmt.Errorf("looking for the ledger of the run %s in namespace %s, which holds %s: %w", h.Run, namespace, h.What, err))
}

// Holders implements mesh.Mesh: each run once, by what it holds of the claims if it does.
func (m *Mesh) Holders(ctx context.Context, claims []journal.Claim) ([]*journal.Holder, error) {
	all, err := m.guestsOf(ctx, m.namespace)
	if err != nil {
		return nil, err
	}
	spanned := m.namespaces()[1:]
	elsewhere := slices.Clone(spanned)
	for _, c := range claims {
		if c.Namespace == m.namespace {
			continue
		}
		elsewhere = append(elsewhere, c.Namespace)
		var held *mesh.HeldError
		if _, err := m.mayTake(ctx, m.run, c); errors.As(err, &held) {
			all = append(all, held.Holder)
		} else if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
	}
	slices.Sort(elsewhere)
	for _, namespace := range slices.Compact(elsewhere) {
		runs, err := m.runsOf(ctx, namespace)
		if err != nil {
			return nil, err
		}
		all = append(all, runs...)
		if !slices.Contains(spanned, namespace) { // what others hold there is nothing to this run, beside what it claims
			continue
		}
		guests, err := m.guestsOf(ctx, namespace)
		if err != nil {
			return nil, err
		}
		all = append(all, guests...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(h *journal.Holder) bool {
		known := seen[h.Run]
		seen[h.Run] = true
		return known
	}), nil
}

// guestsOf are the runs of other namespaces that hold something in one, but for those of
// the mesh's own, of which their ledgers tell.
func (m *Mesh) guestsOf(ctx context.Context, namespace string) ([]*journal.Holder, error) {
	list, err := m.kube.CoordinationV1().Leases(namespace).List(ctx, metav1.ListOptions{LabelSelector: managedBy + "=" + programName + "," + component + "=" + leaseComponent})
	switch {
	case apierrors.IsForbidden(err):
		return nil, nil
	case err != nil:
		return nil, answered(fmt.Errorf("listing the leases of namespace %s: %w", namespace, err))
	}
	var all []*journal.Holder
	for i := range list.Items {
		from, _, _ := strings.Cut(list.Items[i].Annotations[ledgerKey], "/")
		if from == namespace || from == m.namespace {
			continue
		}
		holder, err := m.holderOf(ctx, &list.Items[i])
		if err != nil {
			return nil, err
		}
		if holder != nil {
			all = append(all, holder)
		}
	}
	return all, nil
}

// runsOf are the runs whose ledgers stand in another namespace: each of them holds all of
// it.
func (m *Mesh) runsOf(ctx context.Context, namespace string) ([]*journal.Holder, error) {
	there, err := m.ledgersIn(ctx, namespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	var all []*journal.Holder
	for _, ledger := range there {
		all = append(all, ledger.Holder(namespace))
	}
	return all, nil
}

// release gives the Leases of claims back, those that the run still holds. m.entering
// is held.
func (m *Mesh) release(ctx context.Context, run string, claims []journal.Claim) error {
	for _, c := range claims {
		leases := m.kube.CoordinationV1().Leases(c.Namespace)
		there, err := m.held.leases[c], error(nil)
		if there == nil {
			there, err = leases.Get(ctx, leaseNameOf(c), metav1.GetOptions{})
		}
		if err == nil && there.Labels[instance] == run {
			err = leases.Delete(ctx, there.Name, metav1.DeleteOptions{
				Preconditions: &metav1.Preconditions{UID: &there.UID, ResourceVersion: &there.ResourceVersion},
			})
		}
		if apierrors.IsForbidden(err) { // as of a namespace in which who restores has no role
			m.log(fmt.Sprintf("the Lease %s of namespace %s is not given back: %v; it runs out by itself, and then whoever needs it takes it over", leaseNameOf(c), c.Namespace, err))
			continue
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // what others wrote is theirs, or runs out
			return answered(fmt.Errorf("giving the Lease %s of namespace %s back: %w", leaseNameOf(c), c.Namespace, err))
		}
		delete(m.held.leases, c)
	}
	return nil
}

// releaseAll gives back what the ledger of a run claims, and what this process holds
// for it if somebody has deleted that.
func (m *Mesh) releaseAll(ctx context.Context, run string, ledger []corev1.ConfigMap) error {
	m.entering.Lock()
	defer m.entering.Unlock()
	var claims []journal.Claim
	for _, part := range ledger {
		var head head
		if text, there := part.Data[runKey]; there && json.Unmarshal([]byte(text), &head) == nil { // what cannot be read runs out
			claims = head.Claims
		}
	}
	if m.held.run == run && claims == nil {
		claims = slices.Collect(maps.Keys(m.held.leases))
	}
	return m.release(ctx, run, claims)
}
