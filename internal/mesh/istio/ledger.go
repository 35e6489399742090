package istio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// A ledger is a ConfigMap of the namespace, meshchaos-ledger-RUN, with the run under
// the key run and each object that it has written under entry-0 and so on; where these
// grow beyond partLimit, several, with -1 and so on behind the name.
const (
	ledgerName      = "meshchaos-ledger-"
	ledgerComponent = "ledger"
	runKey          = "run"
	entryKey        = "entry-"
	instance        = "app.kubernetes.io/instance"
	component       = "app.kubernetes.io/component"
	deadline        = "meshchaos.io/deadline"
	loadsFrom       = "meshchaos.io/loads-from"                                               // the label of the load workloads that go when the run is restored; empty: they are kept
	ledgers         = managedBy + "=" + programName + "," + component + "=" + ledgerComponent // all of them

	// partLimit is in bytes. Kubernetes takes 1 MiB (ConfigMap's validation).
	partLimit = 900_000
)

// head is what stands under runKey.
type head struct {
	Run      string    `json:"run"`
	Scenario string    `json:"scenario"`
	By       string    `json:"by"`
	Started  time.Time `json:"started"`
	Objects  int       `json:"objects"` // how many entries there are at least

	Further []string        `json:"further,omitempty"`
	Claims  []journal.Claim `json:"claims,omitempty"`
}

// parts are the ConfigMaps of a ledger, as this process knows them.
type parts struct {
	run   string
	loads string              // the label of the pods that the run's load comes from; empty: they are kept
	makes string              // the Secrets that are the run's, as secretsKey has them
	of    map[string]int      // the part of each key
	data  []map[string]string // what each holds
	dirty []int               // those that are to be written, in that order
}

// hold makes the parts hold these texts and no others.
func (p *parts) hold(texts map[string]string) error {
	for key, part := range p.of {
		if _, kept := texts[key]; !kept {
			delete(p.data[part], key)
			delete(p.of, key)
			p.dirty = append(p.dirty, part)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if err := p.place(key, texts[key]); err != nil {
			return err
		}
	}
	return nil
}

// place puts a text under a key, where it was before, or where there is room behind
// that. What moves is in both parts for a moment, and the higher one counts.
func (p *parts) place(key, text string) error {
	if len(key)+len(text) > partLimit {
		return fmt.Errorf("%s would have %d bytes, and %d fit into a ConfigMap", key, len(text), partLimit)
	}
	from, known := p.of[key]
	if known && p.data[from][key] == text {
		return nil
	}
	to := from
	for to < len(p.data) && p.size(to)-len(p.data[to][key])+len(text) > partLimit {
		to++
	}
	if to == len(p.data) {
		p.data = append(p.data, map[string]string{})
	}
	p.data[to][key], p.of[key] = text, to
	p.dirty = append(p.dirty, to)
	if known && to != from {
		delete(p.data[from], key)
		p.dirty = append(p.dirty, from)
	}
	return nil
}

func (p *parts) size(i int) int {
	size := 0
	for key, text := range p.data[i] {
		size += len(key) + len(text)
	}
	return size
}

// Enter implements mesh.Mesh.
func (m *Mesh) Enter(ctx context.Context, l *journal.Ledger) error {
	m.entering.Lock()
	defer m.entering.Unlock()
	texts := map[string]string{}
	add := func(key string, value any) error {
		text, err := json.Marshal(value)
		texts[key] = string(text)
		return err
	}
	if err := add(runKey, head{l.Run, l.Scenario, l.By, l.Started, len(l.Entries), l.Further, l.Claims}); err != nil {
		return err
	}
	for i, entry := range l.Entries {
		if err := add(entryKey+strconv.Itoa(i), entry); err != nil {
			return err
		}
	}
	if err := m.readParts(ctx, l.Run); err != nil {
		return err
	}
	if err := m.ledger.hold(texts); err != nil {
		return err
	}
	// The first comes last, and in any case: it has the deadline, and says how many
	// entries there are.
	m.ledger.dirty = append(slices.DeleteFunc(m.ledger.dirty, func(part int) bool { return part == 0 }), 0)
	for len(m.ledger.dirty) > 0 {
		part := m.ledger.dirty[0]
		if err := m.writePart(ctx, l, part); err != nil {
			return answered(fmt.Errorf("writing ConfigMap/%s/%s: %w", m.namespace, partName(l.Run, part), err))
		}
		m.ledger.dirty = slices.DeleteFunc(m.ledger.dirty, func(p int) bool { return p == part })
	}
	if err := m.hold(ctx, l); err != nil || l.Run != m.run {
		return err
	}
	return m.makeSecrets(ctx, l.Run)
}

// readParts finds out, once, what the cluster has of a ledger, as of that of a run
// which is over.
func (m *Mesh) readParts(ctx context.Context, run string) error {
	if m.ledger.run == run {
		return nil
	}
	list, err := m.listParts(ctx, m.namespace, ","+instance+"="+run)
	if err != nil {
		return err
	}
	m.ledger = parts{run: run, loads: m.transient(), makes: m.secrets.list(), of: map[string]int{}, data: []map[string]string{{}}}
	inOrder(list)
	if len(list) > 0 { // who undoes the run of another must still find its pods
		m.ledger.loads, m.ledger.makes = list[0].Annotations[loadsFrom], list[0].Annotations[secretsKey]
	}
	for i, part := range list {
		data := map[string]string{}
		maps.Copy(data, part.Data)
		m.ledger.data = append(m.ledger.data[:i], data)
		for key := range data {
			m.ledger.of[key] = i
		}
	}
	return nil
}

// listParts lists the parts of a namespace's ledgers.
func (m *Mesh) listParts(ctx context.Context, namespace, selector string) ([]corev1.ConfigMap, error) {
	list, err := m.kube.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: ledgers + selector})
	if err != nil {
		return nil, answered(fmt.Errorf("listing the configmaps of namespace %s: %w", namespace, err))
	}
	return list.Items, nil
}

func partName(run string, part int) string {
	if part == 0 {
		return ledgerName + run
	}
	return ledgerName + run + "-" + strconv.Itoa(part)
}

func (m *Mesh) writePart(ctx context.Context, ledger *journal.Ledger, part int) error {
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: partName(ledger.Run, part), Namespace: m.namespace,
			Labels:      map[string]string{managedBy: programName, component: ledgerComponent, instance: ledger.Run},
			Annotations: map[string]string{deadline: ledger.Deadline.Format(time.RFC3339), loadsFrom: m.ledger.loads},
		},
		Data: m.ledger.data[part],
	}
	if m.ledger.makes != "" {
		object.Annotations[secretsKey] = m.ledger.makes
	}
	maps := m.kube.CoreV1().ConfigMaps(m.namespace)
	_, err := maps.Update(ctx, object, metav1.UpdateOptions{FieldManager: fieldManager})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	}
	return err
}

// Ledgers implements mesh.Mesh. Objects takes in from then on what the runs have written
// for gateways, wherever these are now.
func (m *Mesh) Ledgers(ctx context.Context) ([]*journal.Ledger, error) {
	all, err := m.ledgersIn(ctx, m.namespace)
	for _, ledger := range all {
		for _, e := range ledger.Entries {
			if e.Ref.Kind == rules.Telemetry {
				m.remember(e.Ref.Namespace)
			}
		}
	}
	return all, err
}

// ledgersIn are those that stand in a namespace.
func (m *Mesh) ledgersIn(ctx context.Context, namespace string) ([]*journal.Ledger, error) {
	list, err := m.listParts(ctx, namespace, "")
	if err != nil {
		return nil, err
	}
	byRun := map[string][]corev1.ConfigMap{}
	for _, part := range list {
		run := part.Labels[instance]
		byRun[run] = append(byRun[run], part)
	}
	var all []*journal.Ledger
	for run, parts := range byRun {
		ledger, err := ledgerOf(run, parts)
		if err != nil {
			return nil, fmt.Errorf("reading the ledger of run %s, ConfigMap/%s/%s: %w; if it is none of meshchaos, take its labels off", run, namespace, partName(run, 0), err)
		}
		all = append(all, ledger)
	}
	slices.SortFunc(all, journal.InOrder)
	return all, nil
}

// ledgerOf puts a ledger together again.
func ledgerOf(run string, parts []corev1.ConfigMap) (*journal.Ledger, error) {
	inOrder(parts)
	texts := map[string]string{}
	for _, part := range parts {
		maps.Copy(texts, part.Data)
	}
	var head head
	if err := json.Unmarshal([]byte(texts[runKey]), &head); err != nil {
		return nil, fmt.Errorf("its key %s: %w", runKey, err)
	}
	ledger := &journal.Ledger{Run: head.Run, Scenario: head.Scenario, By: head.By, Started: head.Started, Further: head.Further, Claims: head.Claims}
	if ledger.Run != run {
		return nil, fmt.Errorf("its key %s is of run %q", runKey, ledger.Run)
	}
	var err error
	if ledger.Deadline, err = time.Parse(time.RFC3339, parts[0].Annotations[deadline]); err != nil {
		return nil, fmt.Errorf("its annotation %s: %w", deadline, err)
	}
	for i := 0; ; i++ {
		key := entryKey + strconv.Itoa(i)
		text, there := texts[key]
		switch {
		case there:
		case i < head.Objects:
			return nil, fmt.Errorf("it lacks %s of %d objects: somebody has deleted a part of it", key, head.Objects)
		default:
			return ledger, nil
		}
		entry := &journal.Entry{}
		if err := json.Unmarshal([]byte(text), entry); err != nil {
			return nil, fmt.Errorf("its key %s: %w", key, err)
		}
		ledger.Entries = append(ledger.Entries, entry)
	}
}

// Settle implements mesh.Mesh. The load workload of this very run stays until Close,
// for its access log is still read, and further runs may share it.
func (m *Mesh) Settle(ctx context.Context, run string) error {
	list, err := m.listParts(ctx, m.namespace, ","+instance+"="+run)
	if err != nil {
		return err
	}
	inOrder(list)
	if len(list) > 0 {
		var left error // whoever lacks the right to delete pods still takes keys away
		if loads := list[0].Annotations[loadsFrom]; run != m.run && loads != "" {
			left = m.deletePods(ctx, loads, "", "")
		}
		if err := errors.Join(left, m.deleteSecrets(ctx, run, list[0].Annotations[secretsKey])); err != nil {
			return err
		}
	}
	if err := m.releaseAll(ctx, run, list); err != nil {
		return err
	}
	for _, part := range slices.Backward(list) { // the first says how many there are
		err := m.kube.CoreV1().ConfigMaps(m.namespace).Delete(ctx, part.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return answered(fmt.Errorf("deleting ConfigMap/%s/%s: %w", m.namespace, part.Name, err))
		}
	}
	return nil
}

// inOrder sorts the parts of a ledger by their numbers.
func inOrder(parts []corev1.ConfigMap) {
	slices.SortFunc(parts, func(a, b corev1.ConfigMap) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
}
