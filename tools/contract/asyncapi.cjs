// Reads an AsyncAPI document as its reference implementation does; an error or a warning is a failure.
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(process.argv[2], "utf8");

new Parser().parse(text).then(({ document, diagnostics }) => {
  const findings = diagnostics.filter(({ severity }) => severity <= 1);
  findings.forEach(({ path, message }) => console.error(path.join("/"), message));
  if (!document || findings.length > 0) process.exit(1);
  console.log(`AsyncAPI ${document.version()}: ${document.allMessages().length} messages`);
});
