package fold

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// terraformFunctions are the functions of Terraform 1.11.
var terraformFunctions = strings.Fields(`
abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256
base64sha512 basename bcrypt can ceil chomp chunklist cidrhost cidrnetmask
cidrsubnet cidrsubnets coalesce coalescelist compact concat contains csvdecode
dirname distinct element endswith ephemeralasnull file filebase64
filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1
filesha256 filesha512 flatten floor format formatdate formatlist indent index
issensitive join jsondecode jsonencode keys length log lookup lower matchkeys
max md5 merge min nonsensitive one parseint pathexpand plantimestamp pow range
regex regexall replace reverse rsadecrypt sensitive setintersection setproduct
setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith
strcontains strrev substr sum templatefile templatestring textdecodebase64
textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber
toset tostring transpose trim trimprefix trimspace trimsuffix try type upper
urlencode uuid uuidv5 values yamldecode yamlencode zipmap`)

var isTerraformFunction = func() map[string]bool {
	set := make(map[string]bool, len(terraformFunctions))
	for _, name := range terraformFunctions {
		set[name] = true
	}
	return set
}()

// encoders turn an object into text. A reader is better served by the object,
// so a call with a constructor is left to Terraform.
var encoders = map[string]bool{"jsonencode": true, "yamlencode": true}

// checkFunction says so if nobody knows a function.
func (w *walker) checkFunction(e *hclsyntax.FunctionCallExpr) {
	if strings.Contains(e.Name, "::") || isTerraformFunction[e.Name] || w.scope.Evaluator.Pure(e.Name) {
		return
	}
	w.add(unknownFunction(e.NameRange, e.Name, similar(e.Name, terraformFunctions)))
}

// similar is the name of a list that is nearest to a misspelt one, or empty.
func similar(name string, list []string) string {
	best, least := "", 3
	for _, candidate := range list {
		if d := distance(name, candidate); d < least && d < len(name) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the number of letters to add, drop or change from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
