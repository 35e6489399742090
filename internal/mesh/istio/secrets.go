package istio

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/credential"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// secretsKey is the annotation of a ledger that names the Secrets which are the run's, as
// NAMESPACE/NAME with commas between them. It is there before the first of them is.
const secretsKey = "meshchaos.io/secrets"

// secrets are those that a run makes in the namespace of the ingress gateway: what servers of
// Gateways show by their credentialName. None is read but for whose it is.
type secrets struct {
	namespace string
	wanted    map[string]*credential.Credential // by their names
	made      map[string]bool
}

// list is how the ledger has them.
func (s *secrets) list() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.wanted)) {
		all = append(all, s.namespace+"/"+name)
	}
	return strings.Join(all, ",")
}

// rightsOfSecrets are those that it takes to make such Secrets and to take them away, without
// those of any other.
func (m *Mesh) rightsOfSecrets(ctx context.Context, names []string) ([]right, error) {
	service, err := m.gatewayService(ctx)
	if err != nil || service == nil || len(names) == 0 {
		return nil, err // that there is no gateway is said elsewhere
	}
	all := []right{to("create", "", "secrets", "", service.Namespace)}
	for _, name := range names {
		for _, verb := range []string{"get", "delete"} {
			of := to(verb, "", "secrets", "", service.Namespace)
			of.Name = name
			all = append(all, of)
		}
	}
	return all, nil
}

// certify notes the Secrets that the cohorts are to find, of which none may be there.
func (m *Mesh) certify(ctx context.Context, cohorts []mesh.Cohort) error {
	hosts := mesh.Credentials(cohorts)
	if len(hosts) == 0 {
		return nil
	}
	service, err := m.gatewayService(ctx)
	switch {
	case err != nil:
		return answered(err)
	case service == nil:
		return fmt.Errorf("making the secret of a Gateway: there is no service with the selector %s", gatewayLabels)
	}
	s := secrets{namespace: service.Namespace, wanted: map[string]*credential.Credential{}, made: map[string]bool{}}
	for name, of := range hosts {
		if _, there, err := m.secretOf(ctx, s.namespace, name); err != nil || there {
			return cmp.Or(err, takenSecret(s.namespace, name))
		}
		if s.wanted[name], err = credential.New(of); err != nil {
			return err
		}
	}
	m.entering.Lock()
	defer m.entering.Unlock()
	m.secrets = s
	return nil
}

func takenSecret(namespace, name string) error {
	return fmt.Errorf("making Secret/%s/%s: it is there already, and none of this run; write another credentialName in the Gateway and the load, or call it as it is, with tls.caCertificates", namespace, name)
}

// secretOf says of which run a Secret is, and whether it is there.
func (m *Mesh) secretOf(ctx context.Context, namespace, name string) (of *corev1.Secret, there bool, err error) {
	of, err = m.kube.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, false, nil
	case err != nil:
		return nil, false, answered(fmt.Errorf("reading whose Secret/%s/%s is: %w", namespace, name, err))
	}
	return of, true, nil
}

// makeSecrets makes those that are not there yet. The ledger names them already. m.entering
// is held.
func (m *Mesh) makeSecrets(ctx context.Context, run string) error {
	s := &m.secrets
	for _, name := range slices.Sorted(maps.Keys(s.wanted)) {
		if s.made[name] {
			continue
		}
		with := s.wanted[name]
		_, err := m.kube.CoreV1().Secrets(s.namespace).Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, Labels: map[string]string{managedBy: programName, instance: run}},
			StringData: map[string]string{"tls.crt": with.Certificate, "tls.key": with.Key, "ca.crt": with.CA},
		}, metav1.CreateOptions{FieldManager: fieldManager})
		if apierrors.IsAlreadyExists(err) { // perhaps by a try that nobody heard the end of
			of, there, readErr := m.secretOf(ctx, s.namespace, name)
			if err = readErr; err == nil && (!there || of.Labels[instance] != run) {
				return takenSecret(s.namespace, name)
			}
		}
		if err != nil {
			return answered(fmt.Errorf("making Secret/%s/%s: %w", s.namespace, name, err))
		}
		s.made[name] = true
	}
	return nil
}

// deleteSecrets takes away those of a run that its ledger names. One that is another's by
// now is left.
func (m *Mesh) deleteSecrets(ctx context.Context, run, list string) error {
	for _, one := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		namespace, name, _ := strings.Cut(one, "/")
		of, there, err := m.secretOf(ctx, namespace, name)
		if err != nil {
			return err
		}
		if !there || of.Labels[instance] != run {
			continue
		}
		err = m.kube.CoreV1().Secrets(namespace).Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &of.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return answered(fmt.Errorf("deleting Secret/%s/%s: %w", namespace, name, err))
		}
		if left, there, err := m.secretOf(ctx, namespace, name); err != nil || there && left.UID == of.UID {
			if err != nil {
				return err
			}
			return lingers(namespace, name, left)
		}
	}
	return nil
}

// lingers is of a Secret that was deleted and is there.
func lingers(namespace, name string, left *corev1.Secret) error {
	return fmt.Errorf("deleting Secret/%s/%s: it is still there, kept by its finalizers %v; have these taken out, and restore again", namespace, name, left.Finalizers)
}

// trusting is the plan of a cohort with what it has to know of its credential.
func (m *Mesh) trusting(c mesh.Cohort) (loadgen.Plan, error) {
	if c.Credential == "" {
		return c.Plan, nil
	}
	m.entering.Lock()
	defer m.entering.Unlock()
	made := m.secrets.wanted[c.Credential]
	if made == nil {
		return c.Plan, fmt.Errorf("sending load %s: the mesh was prepared without its secret %s", c.Name, c.Credential)
	}
	return c.Trusting(made), nil
}
