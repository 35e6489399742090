// Command validate answers what Istio would say to objects: whether the API server
// takes them, by Istio's CustomResourceDefinitions and by its webhook, whose code it
// runs.
//
// It reads a manifest in JSON from each line of stdin, and answers each with a line
// that begins with =, for Istio's packages print to stdout too: =ok, or = and what
// refuses it and why. -crds is the file of the definitions, as Istio's
// chart has it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	istiocrd "istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
)

func main() {
	crds := flag.String("crds", "", "the file of Istio's CustomResourceDefinitions")
	flag.Parse()
	if err := serve(*crds, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

func serve(crds string, in io.Reader, out io.Writer) error {
	definitions, err := crd.NewValidatorFromFilesWithOptions([]string{crds}, crd.WithoutCRDValidation())
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		answer := "ok"
		if err := validate(definitions, lines.Bytes()); err != nil {
			answer = strings.Join(strings.Fields(err.Error()), " ")
		}
		if _, err := fmt.Fprintln(out, "="+answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func validate(definitions *crd.Validator, manifest []byte) error {
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(manifest, &object.Object); err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	schema, known := collections.All.FindByGroupVersionAliasesKind(config.FromKubernetesGVK(object.GroupVersionKind()))
	if !known {
		return fmt.Errorf("reading it: Istio has no kind %s", object.GroupVersionKind())
	}
	text, err := json.Marshal(object.Object["spec"])
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	spec, err := istiocrd.FromJSON(schema, string(text))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	if err := definitions.ValidateCustomResource(object); err != nil {
		return fmt.Errorf("definition: %w", err)
	}
	_, err = schema.ValidateConfig(config.Config{
		Meta: config.Meta{GroupVersionKind: schema.GroupVersionKind(), Name: object.GetName(), Namespace: object.GetNamespace()},
		Spec: spec,
	})
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return nil
}
