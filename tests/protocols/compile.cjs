// Standard JSON in, standard JSON out: `node compile.cjs SOLC_FOLDER < input.json`. Nothing is read beside the input.
// The pinned compiler runs in the project's own wrapper: older packages ask for others that are not there.
const compiler = require(require("path").resolve(process.argv[2], "soljson.js"));
const solc = require("solc/wrapper")(compiler);
process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
