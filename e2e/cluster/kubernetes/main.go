// Command kube contains all programs of a Kubernetes cluster; its name at the call selects one. One binary instead of six
// shares 400 MB of machine code and is linked once.
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

// programs has the programs of this build; node.go adds those that only a full cluster needs.
var programs = map[string]func() *cobra.Command{
	"etcd":           etcdCommand,
	"kube-apiserver": kubeapiserver.NewAPIServerCommand,
	"kubectl":        cmd.NewDefaultKubectlCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	program, ok := programs[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%q is not a program of this binary; call it by the name of one\n", name)
		os.Exit(2)
	}
	os.Exit(cli.Run(program()))
}
