// Command kube is every program of a Kubernetes cluster in one file: the name it is called by chooses the part.
// One binary instead of six shares 400 MB of machine code and is linked once.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubectl/pkg/cmd"
	kubeapiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// programs holds what this build contains; node.go adds the parts that only a full cluster needs.
var programs = map[string]func() *cobra.Command{
	"etcd":           etcdCommand,
	"kube-apiserver": kubeapiserver.NewAPIServerCommand,
	"kubectl":        cmd.NewDefaultKubectlCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	program, ok := programs[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%q is no part of this binary; call it by the name of a program that it holds\n", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(program()))
}
