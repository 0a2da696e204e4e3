// Standard JSON in, standard JSON out: `node compile.cjs SOLC_FOLDER < input.json`. Nothing is read beside the input.
const solc = require(require("path").resolve(process.argv[2]));
process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
