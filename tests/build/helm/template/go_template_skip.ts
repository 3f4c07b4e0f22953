/** Rows of go-template that are not met, by their template, with the reason. */
export const skippedRows: readonly { readonly template: string; readonly reason: string }[] = [
  { template: "{{or 0 1 (die)}}", reason: "die is a function of the Go test" },
  { template: "{{and 1 0 (die)}}", reason: "die is a function of the Go test" },
  {
    template: '{{range $v := 5}}{{printf "%T%d" $v $v}}{{end}}',
    reason: "the expected text is an expression of the Go test",
  },
  { template: "{{mapOfThree.three}}-{{(mapOfThree).three}}", reason: "mapOfThree is a function of the Go test" },
  { template: "{{eq . '.'}}", reason: "the row's data is an int, JSON only has float64" },
  { template: "{{eq . 'e'}}", reason: "the row's data is an int, JSON only has float64" },
  { template: "{{eq . 'P'}}", reason: "the row's data is an int, JSON only has float64" },
  {
    template: '{{ date_in_zone "02 Jan 06 15:04 -0700" .Time "UTC" }}',
    reason: "the row's data is a time, which JSON cannot carry",
  },
  { template: '{{ semverCompare "badConstraint" "1.2.3" }}', reason: "Go stops with an error, which Helm shows" },
  { template: '{{ semverCompare "1.2.0" "badVersion" }}', reason: "Go stops with an error, which Helm shows" },
];

/** What rows of tval_cases may hold that templates of charts cannot meet. */
export const foreignParts: readonly { readonly part: RegExp; readonly reason: string }[] = [
  { part: /\bcall\b|Func\b/, reason: "no value of a chart is a function" },
  { part: /\.M(?:UI?|I)\d+S\b/, reason: "no map of a chart has integer keys" },
  { part: /\b(?:add|echo|makemap|count|zeroArgs|oneArg|twoArgs|vfunc)\b/, reason: "a function of the Go test" },
  { part: /\bslice\b/, reason: "Sprig's slice stands in front of Go's" },
  { part: /\.NO\b|`XXX`|\(\*V\)|\.V2|\.W2/, reason: "Helm sets missingkey=zero; nil receivers of the Go test" },
  { part: /\.P(?:I|S|SI|AI)\b|\.NIL\b|UPI\b|PtS\b/, reason: "no value of a chart is a pointer to a scalar or list" },
  { part: /NonEmptyInterface/, reason: "no value of a chart is held in an interface with methods" },
];
