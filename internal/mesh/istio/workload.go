package istio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

const (
	programName = "meshchaos"
	managedBy   = "app.kubernetes.io/managed-by"
	clientApp   = mesh.ClientApp

	// startTimeout leaves time to pull the image and the sidecar's.
	startTimeout = 2 * time.Minute
	pollEvery    = 200 * time.Millisecond
)

// label is on every pod that load comes from, with the id of the Cluster.
const label = "meshchaos.io/load"

// workload is a pod that load comes from, or several pods of a Job.
type workload struct {
	name    string // of the pod, or of the Job
	senders int    // how many pods it has; 0: one, and no Job
	as      borrowed
	pod     *corev1.Pod // nil: it was not seen to serve
	agent   generator
	gateway *corev1.Service // the ingress gateway's, which the sidecar leaves alone; nil if there is none
	envoy   string          // the version of its sidecar's Envoy
	vigil   *vigil          // over the pod; nil as long as that is
	rest    []*workload     // the pods of a Job but the first
}

// pods are the pods of a load workload, each as one of its own.
func (w *workload) pods() []*workload { return append([]*workload{w}, w.rest...) }

// podName is that of the pod; of one that was not seen to serve that of what it is of.
func (w *workload) podName() string {
	if w.pod == nil {
		return w.name
	}
	return w.pod.Name
}

// starting is the load workload as a run waits for it.
type starting struct {
	done   chan struct{}      // closed when that has ended, well or not
	cancel context.CancelFunc // ends it
	lent   *workload
	err    error // why there is none
}

// ended returns the load workload if it is there.
func (s *starting) ended() *workload {
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
		return s.lent
	default:
		return nil
	}
}

// giveUp ends the waiting. The error is that of ctx.
func (s *starting) giveUp(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("giving up the load workload, which is still being started: %w", ctx.Err())
	}
}

// start returns the load workload that borrows what is named once it runs, and has it
// made if nobody asked for it before. A failure is final, for this run. The end of ctx
// ends only the waiting, for a run that is interrupted meanwhile still asks for the
// proxies as it undoes.
func (m *Mesh) start(ctx context.Context, borrows string) (*workload, error) {
	s, err := m.begin(ctx, borrows)
	if err != nil {
		return nil, err
	}
	select {
	case <-s.done:
		return s.lent, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *Mesh) begin(ctx context.Context, borrows string) (*starting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	if s := m.workloads[borrows]; s != nil {
		return s, nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &starting{done: make(chan struct{}), cancel: cancel}
	if m.workloads == nil {
		m.workloads = map[string]*starting{}
	}
	m.workloads[borrows] = s
	senders := m.most[borrows]
	go func() {
		defer close(s.done)
		s.lent, s.err = m.lend(ctx, borrows, senders, m.log)
	}()
	return s, nil
}

// asked are the load workloads that somebody has asked for, by what they borrow.
func (m *Mesh) asked() map[string]*starting {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.workloads)
}

// slot is where one load workload may be, and others after it.
type slot struct {
	mu   sync.Mutex // held while one is made, or looked after
	lent *workload  // nil: there is none
	made int        // how many were
}

// lending is what a load workload is for: what it borrows, and how many senders.
type lending struct {
	borrows string
	senders int // 0: one
}

// slot returns that of the load workload for something.
func (c *Cluster) slot(of lending) *slot {
	c.lending.Lock()
	defer c.lending.Unlock()
	if c.slots == nil {
		c.slots = map[lending]*slot{}
	}
	if c.slots[of] == nil {
		c.slots[of] = &slot{}
	}
	return c.slots[of]
}

func (c *Cluster) isClosed() bool {
	c.lending.Lock()
	defer c.lending.Unlock()
	return c.closed
}

// lend returns the load workload that an earlier run has used, if it still serves,
// and makes one otherwise.
func (c *Cluster) lend(ctx context.Context, borrows string, senders int, log func(string)) (*workload, error) {
	if senders < 2 {
		senders = 0
	}
	if senders > 0 && c.keep != nil {
		return nil, errors.New("starting the load workload: a load of several senders comes from a Job, whose pods are not kept; leave --keep-pod out")
	}
	p := c.slot(lending{borrows, senders})
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.isClosed() {
		return nil, errClosed
	}
	gateway, err := c.gatewayService(ctx)
	if err != nil {
		return nil, err
	}
	as, err := c.borrow(ctx, borrows)
	if err != nil {
		return nil, err
	}
	if p.lent != nil {
		why := c.unfit(ctx, p.lent, as, gateway)
		if why == nil {
			return p.lent, nil
		}
		p.lent.leave()
		if c.keep == nil { // else adopt finds out whether it is another command's by now
			log(fmt.Sprintf("replacing the load workload %s: %v", p.lent.name, why))
			if err := c.deleteLoad(ctx, p.lent); err != nil {
				return nil, err
			}
		}
	}
	p.lent = nil
	if p.made == 0 || c.keep == nil { // one that is kept is found by its name
		p.made++
	}
	return c.fill(ctx, p, &workload{name: c.nameOf(borrows, senders, p.made), senders: senders, as: as, gateway: gateway}, log)
}

// fill has a load workload serve in a slot that has none: one that was kept, or else a
// new one.
func (c *Cluster) fill(ctx context.Context, p *slot, w *workload, log func(string)) (*workload, error) {
	if c.keep != nil {
		adopted, err := c.adopt(ctx, w, log)
		if err != nil {
			return nil, err
		}
		if adopted {
			p.lent = w
			return w, nil
		}
	}
	p.lent = w
	err := c.make(ctx, w, log)
	var taken *takenError
	switch {
	case err == nil:
		return w, nil
	case apierrors.IsAlreadyExists(err): // which another command has just made, to keep it
		p.lent = nil
		err = fmt.Errorf("another command is starting it; run again when that has ended, or leave --keep-pod out: %w", err)
	case errors.As(err, &taken):
		p.lent = nil
	}
	kind := "pod"
	if w.senders > 0 {
		kind = "job"
	}
	return nil, fmt.Errorf("starting the load workload, %s %s/%s: %w", kind, c.namespace, w.name, err)
}

// nameOf is that of the nth load workload that borrows what is named, for so many senders.
func (c *Cluster) nameOf(borrows string, senders, n int) string {
	name := c.template.name() + "-" + c.id
	if borrows != "" {
		name += "-" + borrows
	}
	if senders > 0 {
		name += "-x" + strconv.Itoa(senders)
	}
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	if senders > 0 && len(name) > maxJobName {
		name = name[:maxJobName-9] + "-" + digest(name)
	}
	return name
}

// leave ends watching over a load workload that is to be taken away, if there is one.
func (w *workload) leave() {
	if w == nil {
		return
	}
	for _, of := range w.pods() {
		if of.vigil != nil {
			of.vigil.leave()
		}
	}
}

// unfit says why no load can come any more from a pod that was made for an earlier
// run; nil: it can.
func (c *Cluster) unfit(ctx context.Context, w *workload, as borrowed, gateway *corev1.Service) error {
	for _, of := range w.pods() {
		if err := c.unfitPod(ctx, of, as, gateway); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) unfitPod(ctx context.Context, w *workload, as borrowed, gateway *corev1.Service) error {
	switch {
	case w.pod == nil:
		return errors.New("it did not start")
	case w.vigil.isOver(): // for good: whatever became of the pod since, a load from it would be taken for lost
		return w.vigil.why
	}
	now, err := c.kube.CoreV1().Pods(c.namespace).Get(ctx, w.podName(), metav1.GetOptions{})
	switch {
	case err != nil:
		return fmt.Errorf("reading the pod: %w", err)
	case now.UID != w.pod.UID, !loads(now):
		return errors.New("it serves no more")
	case !reflect.DeepEqual(as, w.as):
		return fmt.Errorf("the workload %s has another service account, or other labels", as.workload)
	case ranges(gateway) != ranges(w.gateway):
		return errors.New("the ingress gateway has another address")
	}
	return w.agent.Idle(ctx)
}

// make makes the pod and waits until load can come from it.
func (c *Cluster) make(ctx context.Context, w *workload, log func(string)) error {
	if c.image == "" {
		return errors.New("no image is named; name one of this program with --image")
	}
	log(fmt.Sprintf("starting the load workload %s in %s", w.name, c.namespace))
	pod, err := c.sent(w)
	if err != nil {
		return err
	}
	if err := c.unlisted(ctx, pod); err != nil {
		return err
	}
	if w.senders > 0 {
		return c.makeJob(ctx, w, pod)
	}
	pod, err = c.kube.CoreV1().Pods(c.namespace).Create(ctx, pod, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return err
	}
	if err := intercepted(pod); err != nil {
		return err
	}
	if pod, err = c.awaitReady(ctx, pod); err != nil {
		return err
	}
	return c.serve(ctx, w, pod)
}

// sent is the pod of a load workload as it is made.
func (c *Cluster) sent(w *workload) (*corev1.Pod, error) {
	pod := c.workloadPod(w)
	if err := w.as.lendTo(pod); err != nil {
		return nil, err
	}
	c.sign(pod)
	return pod, nil
}

// serve has load come from a pod that is ready for it.
func (c *Cluster) serve(ctx context.Context, w *workload, pod *corev1.Pod) (err error) {
	if w.agent, err = c.awaitAgent(ctx, pod); err != nil {
		return err
	}
	if c.keep != nil {
		if err := c.take(ctx, w); err != nil {
			return err
		}
	}
	if w.envoy, err = c.envoyVersion(ctx, pod); err != nil {
		return err
	}
	w.pod, w.vigil = pod, c.watchOver(w, pod)
	return nil
}

// intercepted says that the load workload's pod was made without a sidecar.
func intercepted(pod *corev1.Pod) error {
	if hasProxy(pod) {
		return nil
	}
	return errors.New("it was given no sidecar by Istio, without which no rule bears on its traffic; check that istiod's sidecar injector runs and serves this namespace (label istio-injection=enabled, or istio.io/rev), and that the mesh is not ambient")
}
