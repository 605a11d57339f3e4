// Validates the GraphQL documents of assets/github against GitHub's schema. The argument is a folder that has the npm
// packages `graphql` and `@octokit/graphql-schema`.
const fs = require("fs");
const path = require("path");

const packages = path.resolve(process.argv[2], "node_modules");
const { buildSchema, parse, validate } = require(path.join(packages, "graphql"));
const text = fs.readFileSync(path.join(packages, "@octokit/graphql-schema/schema.graphql"), "utf8");
// The schema defines two fields twice, which a strict reader refuses.
const schema = buildSchema(text, { assumeValidSDL: true });

const read = (name) => fs.readFileSync(path.join(__dirname, "../assets/github", `${name}.graphql`), "utf8");
const id = "0".repeat(40);
const documents = {
  Discover: read("discover") + read("found"),
  Repositories: read("repositories") + read("found"),
  Refs: read("refs"),
  Sweep: read("sweep") + read("run"),
  Live: read("live") + read("run"),
  // The program writes this one: a query with an alias for each object.
  Objects:
    "query Objects($owner: String!, $name: String!) { rateLimit { cost remaining resetAt } " +
    `repository(owner: $owner, name: $name) { o0: object(oid: "${id}") { ...Content } o1: object(oid: "${id}") { ...Content } } }` +
    read("object"),
};

let wrong = 0;
for (const [name, document] of Object.entries(documents)) {
  const errors = validate(schema, parse(document));
  errors.forEach((error) => console.error(`${name}: ${error.message}`));
  wrong += errors.length;
}
console.log(`${Object.keys(documents).length} documents, ${wrong} errors`);
process.exitCode = wrong > 0 ? 1 : 0;
