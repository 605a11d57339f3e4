//! Logs of failed publishes as tools print them, with the causes that they have. Names are invented.

/// Causes, in the order in which they are said, and the log.
pub const STORIES: &[(&[&str], &str)] = &[
    (
        &["dist-tag-without-credential"],
        "Run npm dist-tag add acme@1.0.0 next\nnpm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/-/package/acme/dist-tags/next - OIDC permission denied for this action",
    ),
    (
        &["write-refused-as-404"],
        "##[group]Run pnpm publish -r\nenv:\n  NODE_AUTH_TOKEN: ***\n##[endgroup]\n ERR_PNPM_FAILED_TO_PUBLISH  Failed to publish package @acme/ui@1.2.3 (status 404 Not Found): Not found\n##[error]Process completed with exit code 1.",
    ),
    (
        &["oidc-action-denied"],
        "[ERR_PNPM_FAILED_TO_PUBLISH] Failed to publish package @acme/ui@1.2.3 (status 403 Forbidden): OIDC permission denied for this action",
    ),
    (
        &["git-setup"],
        " ERR_PNPM_GIT_UNCLEAN  Unclean working tree. Commit or stash changes first.\n##[error]Process completed with exit code 1.",
    ),
    (
        &["lockfile-differs"],
        " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\" because pnpm-lock.yaml is not up to date\n##[error]Process completed with exit code 1.",
    ),
    (
        &["install-could-not-read"],
        "Run pnpm install\n ERR_PNPM_FETCH_401  GET https://{{registry}}/@acme%2finternal: Unauthorized - 401\nNo authorization header was set for the request.",
    ),
    (
        &["github-packages"],
        "Run pnpm install\n ERR_PNPM_FETCH_401  GET https://{{registry-github}}/@acme%2finternal: Unauthorized - 401",
    ),
    (
        &["yarn-too-old"],
        "➤ YN0000: · Yarn 4.6.0\n➤ YN0035: │ The remote server failed to provide the requested resource\n➤ YN0035: │   Response Code: 404 (Not Found)\n➤ YN0035: │   Request Method: PUT\n➤ YN0035: │   Request URL: https://{{registry}}/@acme%2fui\n➤ YN0000: · Failed with errors in 1s 2ms",
    ),
    (
        &["version-exists"],
        "➤ YN0035: │ You cannot publish over the previously published versions: 1.2.3.\n➤ YN0035: │   Response Code: 403 (Forbidden)\n➤ YN0035: │   Request Method: PUT\n➤ YN0035: │   Request URL: https://{{registry}}/@acme%2fui\n➤ YN0000: Failed with errors in 0s",
    ),
    (
        &[],
        "➤ YN0000: · Yarn 4.11.0\n➤ YN0000: ┌ Resolution step\n➤ YN0000: └ Completed\n➤ YN0000: Package archive published\n➤ YN0000: Done in 1s\nCleaning up orphan processes",
    ),
    (
        &["yarn-authentication-refused"],
        "##[group]Run yarn npm publish\n##[endgroup]\n➤ YN0041: Invalid authentication (as an anonymous user)\n➤ YN0000: Failed with errors in 0s 500ms",
    ),
    (
        &["yarn-classic-write-refused"],
        "yarn publish v1.22.22\n[2/4] Logging in...\n[3/4] Publishing...\nerror Couldn't publish package: \"https://{{registry}}/@acme%2fui: Not found\"\ninfo Visit https://yarnpkg.com/en/docs/cli/publish",
    ),
    (
        &["version-exists"],
        "yarn publish v1.22.22\nerror Couldn't publish package: \"https://{{registry}}/@acme%2fui: You cannot publish over the previously published versions: 1.0.0.\"",
    ),
    (
        &["version-exists"],
        "bun publish v1.3.2\n403 Forbidden: https://{{registry}}/acme-x\n - You cannot publish over the previously published versions: 1.0.0.\nerror: script \"release\" exited with code 1",
    ),
    (
        &["bun-write-refused"],
        "bun publish v1.3.2\nerror: 401 Unauthorized: https://{{registry}}/acme-x",
    ),
    (
        &["one-time-password"],
        "bun publish v1.3.2\n401 Unauthorized: https://{{registry}}/acme-x\nerror: This operation requires a one-time password",
    ),
    (
        &["version-exists"],
        "lerna ERR! E403 You cannot publish over the previously published versions: 2.0.0.",
    ),
    (
        &["exchange-not-found"],
        "lerna notice cli v9.0.7\nlerna verb oidc Failed token exchange request with body message: OIDC token exchange error - package not found\nlerna WARN notice Package failed to publish: @acme/agent\nlerna ERR! E404 Not found",
    ),
    (
        &["lerna-too-old"],
        "lerna notice cli v7.1.3\nlerna info publish Publishing packages to npm...\nlerna ERR! E404 Not found",
    ),
    (
        &["git-setup"],
        "lerna notice cli v8.1.0\nlerna ERR! EUNCOMMIT Working tree has uncommitted changes, please commit or remove the following changes before continuing:\n##[error]Process completed with exit code 1.",
    ),
    (
        &["write-refused-as-404"],
        "🦋  info npm info @acme/ui\n🦋  info Publishing \"@acme/ui\" at \"1.0.0\"\n🦋  error an error occurred while publishing @acme/ui: E404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found\n🦋  error  The requested resource '@acme/ui@1.0.0' could not be found or you do not have permission to access it.\n🦋  error packages failed to publish:\n🦋  @acme/ui@1.0.0\n##[error]Process completed with exit code 1.",
    ),
    (
        &["exchange-fell-back"],
        "No NPM_TOKEN found, but OIDC is available - using npm trusted publishing\n🦋  error an error occurred while publishing @acme/ui: E404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found\n🦋  error packages failed to publish:",
    ),
    (
        &["no-credential"],
        "🦋  error an error occurred while publishing @acme/ui: ENEEDAUTH This command requires you to be logged in to https://{{registry}}/\n🦋  error You need to authorize this machine using `npm adduser`",
    ),
    (
        &["pull-request-refused"],
        "HttpError: GitHub Actions is not permitted to create or approve pull requests.\n##[error]HttpError: GitHub Actions is not permitted to create or approve pull requests.",
    ),
    (
        &["semantic-release-token", "semantic-release-too-old"],
        "[7:34:06 PM] [semantic-release] › ℹ  Running semantic-release version 23.1.1\n[7:34:06 PM] [semantic-release] › ✖  ENONPMTOKEN No npm token specified.\nAn npm token must be created and set in the NPM_TOKEN environment variable.\n##[error]Process completed with exit code 1.",
    ),
    (
        &["forge-token"],
        "[1:00:00 AM] [semantic-release] › ✘  EINVALIDGHTOKEN Invalid GitHub token.\n##[error]Process completed with exit code 1.",
    ),
    (
        &["exchange-not-found"],
        "[1:00:00 AM] [semantic-release] › ✘  EINVALIDNPMTOKEN Invalid npm token.\nOIDC token exchange with the npm registry failed: 404 OIDC token exchange error - package not found",
    ),
    (
        &["version-exists"],
        "> nx run ui:nx-release-publish\n\nnpm publish error:\nYou cannot publish over the previously published versions: 1.0.0.\n NX   Running target nx-release-publish for project ui failed",
    ),
    (
        &["no-credential"],
        "> nx run ui:nx-release-publish\nnpm publish error:\nThis command requires you to be logged in to https://{{registry}}/\nYou need to authorize this machine using `npm adduser`\n NX   Running target nx-release-publish for project ui failed",
    ),
    (
        &["write-refused-as-404"],
        "> nx run ui:nx-release-publish\nnpm publish error:\nNot Found - PUT https://{{registry}}/@acme%2fui - Not found\nThe requested resource '@acme/ui@9.3.0' could not be found or you do not have permission to access it.\n NX   Running target nx-release-publish for project ui failed\n##[error]Process completed with exit code 1.",
    ),
    (
        &["github-packages"],
        "nx run @acme/cfg:nx-release-publish\n  Something unexpected went wrong when checking for existing dist-tags.\n   Error: Command failed: npm view @acme/cfg versions dist-tags --json\n  npm error code E401\n  npm error 401 Unauthorized - GET https://{{registry-github}}/@acme%2fcfg - unauthenticated: User cannot be authenticated with the token provided.",
    ),
    (
        &["write-refused-as-404"],
        "ERROR npm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/acme-x - Not found",
    ),
    (
        &["git-setup"],
        "ERROR Working dir must be clean.\nPlease stage and commit your changes.\n##[error]Process completed with exit code 1.",
    ),
    (
        &[],
        "✖ Verify npm version\n✖ `np` requires npm >= 9\n##[error]Process completed with exit code 1.",
    ),
    (
        &["no-credential"],
        "Run JS-DevTools/npm-publish@v4\n##[error]NpmCallError: Call to \"npm publish\" exited with non-zero exit code 1\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["exchange-failed-unseen"],
        "##[group]GITHUB_TOKEN Permissions\nContents: read\nId-token: write\n##[endgroup]\nnode: v24.4.0\nnpm: 11.6.0\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["npm-too-old"],
        "npm notice New major version of npm available! 10.9.4 -> 11.6.2\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["npm-too-old"],
        "npm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/\nnpm notice\nnpm notice New major version of npm available! 10.9.4 -> 11.6.2\n",
    ),
    (
        &["no-credential"],
        "node: v22.1.0\nnpm: 10.9.0\n##[group]Run npm install -g npm@latest\n##[endgroup]\nadded 1 package\n##[group]Run npm publish\n##[endgroup]\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["token-dead"],
        "npm: 10.9.0\n##[group]Run npm publish\nenv:\n  NODE_AUTH_TOKEN: ***\n##[endgroup]\nnpm notice Access token expired or revoked. Please try logging in again.\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/acme-x - Not found",
    ),
    (
        &["no-credential"],
        "$ npm publish\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/\nERROR: Job failed: exit code 1",
    ),
    (
        &["tests-failed"],
        "##[group]Run npm test\nnpm test\n##[endgroup]\n> acme@1.0.0 test\n> vitest run\n FAIL  src/a.test.ts > adds\nAssertionError: expected 1 to be 2\n Tests  1 failed | 10 passed (11)\n##[error]Process completed with exit code 1.",
    ),
    (
        &["build-failed"],
        "##[group]Run npm run build\n##[endgroup]\n> tsc -p .\nsrc/a.ts(3,1): error TS2322: Type 'string' is not assignable to type 'number'.\n##[error]Process completed with exit code 2.",
    ),
    (
        &["build-failed"],
        "Run npm publish\n> acme@1.0.0 prepublishOnly\n> npm run build\nsrc/a.ts(3,1): error TS2322: bad\nnpm error code 2\nnpm error path /x\nnpm error command failed\nnpm error command sh -c tsc\n##[error]Process completed with exit code 2.",
    ),
    (
        &["actions-policy"],
        "Event 'workflow_dispatch' is not allowed to trigger Actions workflows. Workflow file: '.github/workflows/release.yml'",
    ),
    (
        &["environment-refused"],
        "Branch \"feature\" is not allowed to deploy to npm due to environment protection rules.\nThe deployment was rejected or didn't satisfy other protection rules.",
    ),
    (
        &["cancelled"],
        "##[group]Run npm publish\n##[endgroup]\n##[error]The operation was canceled.",
    ),
    (
        &["cancelled"],
        "##[error]The job running on runner GitHub Actions 7 has exceeded the maximum execution time of 10 minutes.",
    ),
    (
        &["runner-exhausted"],
        "##[group]Run npm run build\n##[endgroup]\nError: ENOSPC: no space left on device, write\n##[error]Process completed with exit code 1.",
    ),
    (
        &["release-exists"],
        "HttpError: Validation Failed: {\"resource\":\"Release\",\"code\":\"already_exists\",\"field\":\"tag_name\"}\n##[error]Process completed with exit code 1.",
    ),
    (
        &["release-exists"],
        "##[group]Run git tag v1.2.3\n##[endgroup]\nfatal: tag 'v1.2.3' already exists\n##[error]Process completed with exit code 128.",
    ),
    (
        &["verified-too-early"],
        "+ @acme/ui@1.2.3\n##[group]Run node verify.mjs\n##[endgroup]\nError: @acme/ui@1.2.3 is not visible on npm after 66 s\n##[error]Process completed with exit code 1.",
    ),
    (
        &["not-visible-yet"],
        "+ @acme/ui@1.2.3\nRun npm view @acme/ui@1.2.3\nnpm error code E404\nnpm error 404 Not Found - GET https://{{registry}}/@acme%2fui - Not found",
    ),
    (
        &["install-could-not-read"],
        "+ @acme/ui@1.2.3\nRun npm ci\nnpm error code E404\nnpm error 404 Not Found - GET https://{{registry}}/@acme%2fother - Not found",
    ),
    (
        &["management-with-token"],
        "npm error code E403\nnpm error 403 403 Forbidden - POST https://{{registry}}/-/package/@acme%2fui/trust - Granular access tokens that bypass two-factor authentication may not perform this action. For more info, visit: https://gh.io/npm-gat-bypass2fa-deprecation",
    ),
    (
        &["management-with-token"],
        "npm error code E403\nnpm error 403 403 Forbidden - DELETE https://{{registry}}/acme-x/-rev/1 - Granular access tokens that bypass two-factor authentication may not perform this action.",
    ),
    (
        &["stage-required"],
        "npm error code E_STAGE_REQUIRED\nnpm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui",
    ),
    (
        &["stage-approval-needs-person"],
        "+ npm stage approve abc\nnpm error code EOTP\nnpm error This operation requires a one-time password from your authenticator.",
    ),
    (
        &["trust-needs-permission-flag"],
        "npm error At least one permission flag is required (--allow-publish, --allow-stage-publish)",
    ),
    (
        &["trust-unknown-command"],
        "Unknown command: \"trust\"\n\nTo see a list of supported npm commands, run:\n  npm help",
    ),
    (
        &["write-conflict"],
        "npm error code E409\nnpm error 409 Conflict - PUT https://{{registry}}/@acme%2fui",
    ),
    (
        &["registry-unavailable"],
        "npm error code E502\nnpm error 502 Bad Gateway - PUT https://{{registry}}/acme-x - Bad Gateway",
    ),
    (
        &["network-failed"],
        "npm error code ECONNRESET\nnpm error network aborted",
    ),
    (
        &["provenance-private-source"],
        "npm error code E422\nnpm error 422 Unprocessable Entity - PUT https://{{registry}}/acme-x - Error verifying sigstore provenance bundle: Unsupported GitHub Actions source repository visibility: \"private\". Only public source repositories are supported when publishing with provenance.",
    ),
    (
        &["registry-alias"],
        "npm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{alias}}",
    ),
    (
        &["dist-tag-without-credential"],
        "##[group]Run npm publish\n\u{1b}[36;1mnpm publish --tag next\u{1b}[0m\n\u{1b}[36;1mnpm dist-tag add acme@1.0.0 rc\u{1b}[0m\n##[endgroup]\n+ acme@1.0.0\nnpm error code E401\nnpm error 401 Unauthorized - PUT https://{{registry}}/-/package/acme/dist-tags/rc",
    ),
    (
        &["no-credential"],
        "##[group]Run npm publish\n\u{1b}[36;1mnpm publish --tag next\u{1b}[0m\n\u{1b}[36;1mnpm dist-tag add acme@1.0.0 rc\u{1b}[0m\n##[endgroup]\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &[],
        "Run npm publish\n+ acme@1.0.0\nPost job cleanup.\nCleaning up orphan processes",
    ),
    (
        &[],
        "Run npm test\n✖ expected failure shown\nError: expected\nok\nRun npm publish\n+ acme@1.0.0\nCleaning up orphan processes",
    ),
    (
        &["whoami-refused"],
        "Run npm whoami\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in.",
    ),
    (
        &["npm-refuses-node"],
        "Run npm install -g npm@latest\nnpm error code EBADENGINE\nnpm error engine Unsupported engine\nnpm error engine Not compatible with your version of node/npm: npm@12.2.2\nnpm error notsup Required: {\"node\":\"^22.22.0 || >=24\"}",
    ),
    (
        &["setup-failed"],
        "Run npm ci\nnpm error code ERESOLVE\nnpm error ERESOLVE could not resolve",
    ),
    (
        &["lockfile-differs"],
        "Run npm ci\nnpm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.",
    ),
    (
        &["write-forbidden"],
        "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/acme-x - Forbidden",
    ),
    (
        &["one-time-password"],
        "npm error code EOTP\nnpm error You must provide a one-time pass. Upgrade your client to npm@latest in order to use 2FA.",
    ),
    (
        &["placeholder-sent"],
        "##[group]Run npm publish\nenv:\n  NODE_AUTH_TOKEN: XXXXX-XXXXX-XXXXX-XXXXX\n##[endgroup]\nnpm notice Access token expired or revoked. Please try logging in again.\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/acme-x - Not found",
    ),
    (
        &[],
        "##[group]Run ./do-things.sh\n##[endgroup]\nbla\nError: something odd happened\n##[error]Process completed with exit code 3.",
    ),
    (
        &["git-setup"],
        "*** Please tell me who you are.\nfatal: empty ident name (for <runner@x>) not allowed\n##[error]Process completed with exit code 128.",
    ),
    (
        &["command-missing"],
        "npm error Missing script: \"release\"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\n##[error]Process completed with exit code 1.",
    ),
    (
        &["setup-failed"],
        "npm error code ENOENT\nnpm error syscall open\nnpm error path /home/runner/work/x/package.json\nnpm error enoent Could not read package.json: Error: ENOENT: no such file or directory\n##[error]Process completed with exit code 254.",
    ),
    (
        &[],
        "##[group]Run cargo publish\n##[endgroup]\nerror: failed to publish to registry at https://crates.example\n##[error]Process completed with exit code 101.",
    ),
    (
        &["version-staged"],
        "npm error code E409\nnpm error 409 Conflict - PUT https://{{registry}}/@acme%2fui - Cannot publish over previously staged version \"3.1.1\".",
    ),
    (
        &["other-registry"],
        "npm error code E401\nnpm error 401 Unauthorized - PUT https://npm.acme.example/@acme%2fui - no",
    ),
    (
        &["name-too-similar"],
        "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/yamlo - Package name too similar to existing packages yaml,yarn; try renaming your package",
    ),
    (
        &["name-not-available"],
        "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/acme-x - acme-x cannot be republished until 24 hours have passed.",
    ),
    (
        &["too-large"],
        "npm error code E413\nnpm error 413 Payload Too Large - PUT https://{{registry}}/acme-x - Payload Too Large",
    ),
    (
        &["provenance-self-hosted"],
        "🦋  error npm error code E422\n🦋  error npm error 422 Unprocessable Entity - PUT https://{{registry}}/@acme%2fui - Error verifying sigstore provenance bundle: Unsupported GitHub Actions runner environment: \"self-hosted\". Only \"github-hosted\" runners are supported when publishing with provenance.",
    ),
    (
        &["provenance-refused"],
        "npm error code E422\nnpm error 422 Unprocessable Entity - PUT https://{{registry}}/acme-x - Error verifying sigstore provenance bundle: Missing SourceRepositoryRef in signing certificate",
    ),
    (
        &["repository-url-mismatch"],
        "npm error 422 Unprocessable Entity - PUT https://{{registry}}/acme-x\nError verifying sigstore provenance bundle:\nFailed to validate repository information: package.json: \"repository.url\" is \"\", expected to match \"https://github.com/acme/x\" from provenance",
    ),
    (
        &["trust-file-is-a-path"],
        "+ npm trust github @acme/ui --file .github/workflows/release.yml --repo acme/ui --yes\nnpm error GitHub Actions workflow must be just a file not a path",
    ),
    (
        &["trust-flags-first"],
        "Run npm --loglevel=error trust list @acme/ui\nnpm error Unknown positional argument: list",
    ),
    (
        &["trust-needs-person"],
        "+ npm trust github @acme/ui --file release.yml --repo acme/ui --yes\nnpm error code EOTP\nnpm error This operation requires a one-time password.",
    ),
    (
        &["trust-account-without-2fa"],
        "npm error code E403\nnpm error 403 403 Forbidden - POST https://{{registry}}/-/package/@acme%2fui/trust - Please enable 2fa for your account",
    ),
    (
        &["trust-new-package"],
        "npm error code E404\nnpm error 404 Not Found - POST https://{{registry}}/-/package/@acme%2fnew/trust",
    ),
    (
        &["trust-refused"],
        "npm error code E401\nnpm error 401 Unauthorized - POST https://{{registry}}/-/package/@acme%2fui/trust",
    ),
    (
        &["stage-unknown-command"],
        "Run npm stage publish\nUnknown command: \"stage\"\n\nTo see a list of supported npm commands, run:\n  npm help\n##[error]Process completed with exit code 1.",
    ),
    (
        &["exchange-refused"],
        "npm http fetch POST 401 https://{{registry}}/-/npm/v1/oidc/token/exchange/package/acme-x 90ms\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["login-checked-first"],
        "ERROR Not authenticated with npm. Please `npm login` and try again.",
    ),
    (
        &["login-checked-first"],
        "✖ Verify user is authenticated\n✖ You must be logged in. Use `npm login` and try again.",
    ),
    (
        &["login-checked-first"],
        "> node scripts/release.mjs\nError: npm login failed. Cannot publish without authentication.\n ELIFECYCLE  Command failed with exit code 1.",
    ),
    (
        &["whoami-refused"],
        "lerna info Verifying npm credentials\nlerna http fetch GET 403 https://{{registry}}/-/npm/v1/user 91ms\n403 Forbidden - GET https://{{registry}}/-/npm/v1/user\nlerna ERR! EWHOAMI Authentication error. Use `npm whoami` to troubleshoot.",
    ),
    (
        &["bun-no-oidc"],
        "bun publish v1.3.13 (1db0f3b2)\nerror: missing authentication (run `bunx npm login`)\nerror: script \"publish\" exited with code 1",
    ),
    (
        &["yarn-classic-no-oidc"],
        "Run yarn publish\nyarn publish v1.22.22\n[2/4] Logging in...\nerror No token found and can't prompt for login when running with --non-interactive.",
    ),
    (
        &["install-could-not-read-yarn"],
        "Run yarn install --immutable\n➤ YN0000: ┌ Fetch step\n➤ YN0041: │ @acme/foo@npm:1.2.3: Invalid authentication (as an anonymous user)\n➤ YN0000: └ Completed in 3s\n➤ YN0000: Failed with errors in 5s",
    ),
    (
        &["dependency-not-found"],
        "Run npm ci\nnpm error code ETARGET\nnpm error notarget No matching version found for left-pad@9.9.9.",
    ),
    (
        &["secret-empty"],
        "##[group]Run npm publish\nenv:\n  NODE_AUTH_TOKEN: \n##[endgroup]\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["id-token-not-granted"],
        "GITHUB_TOKEN Permissions\n  Contents: read\n  Metadata: read\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found",
    ),
    (
        &["no-permission"],
        "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/acme-x - You do not have permission to publish \"acme-x\". Are you logged in as the correct user?",
    ),
    (
        &["email-not-verified"],
        "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/acme-x - You must verify your email before publishing a new package",
    ),
    (
        &["scope-not-found"],
        "npm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/@nobody%2fui - Scope not found",
    ),
    (
        &["npm-broken"],
        "Run npm install -g npm@latest\nnpm error code MODULE_NOT_FOUND\nnpm error Cannot find module 'promise-retry'\nnpm error Require stack:\nnpm error - /opt/node/lib/node_modules/npm/node_modules/@npmcli/arborist/lib/index.js",
    ),
    (
        &["git-refused-push"],
        "[11:02:10 AM] [semantic-release] › ✘  EGITNOPERMISSION Cannot push to the Git repository.\n##[error]Process completed with exit code 1.",
    ),
    (
        &["caller-grants-no-id-token"],
        "The workflow is not valid. .github/workflows/a.yml (Line: 12, Col: 3): Error calling workflow 'acme/ci/.github/workflows/p.yml@x'. The nested job 'publish' is requesting 'id-token: write', but is only allowed 'id-token: none'.",
    ),
    (
        &["workflow-invalid"],
        "Invalid workflow file: .github/workflows/a.yml#L12\nYou have an error in your yaml syntax on line 12",
    ),
    (
        &["push-refused"],
        "remote: error: GH006: Protected branch update failed for refs/heads/main.\n ! [remote rejected] main -> main (protected branch hook declined)\nerror: failed to push some refs to 'https://github.com/acme/ui'\n##[error]Process completed with exit code 1.",
    ),
    (
        &["forge-refused"],
        "HttpError: Resource not accessible by integration\n##[error]Resource not accessible by integration",
    ),
    (
        &["lint-failed"],
        "✖ 3 problems (3 errors, 0 warnings)\n##[error]Process completed with exit code 1.",
    ),
    (
        &["module-missing"],
        "Error: Cannot find module './dist/release.js'\n    at Module._resolveFilename\n##[error]Process completed with exit code 1.",
    ),
    (
        &["setup-input-missing"],
        "##[error]Input required and not supplied: token",
    ),
    (
        &["lerna-write-refused"],
        "lerna info publish Publishing packages to npm...\nlerna WARN notice Package failed to publish: @acme/a\nlerna ERR! E404 Not found\nExited with code exit status 1",
    ),
    (
        &["unauthorized"],
        "npm error code E401\nnpm error 401 Unauthorized - PUT https://{{registry}}/acme-x",
    ),
    (
        &["content-refused"],
        "npm error code E400\nnpm error 400 Bad Request - PUT https://{{registry}}/acme-x - Invalid version",
    ),
    (
        &["write-refused-as-404", "failure-hidden"],
        "Run npm publish --access public || echo \"already published\"\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found\nalready published",
    ),
    (
        &["id-token-not-granted", "npm-too-old"],
        "##[group]GITHUB_TOKEN Permissions\nContents: read\n##[endgroup]\nnode: v24.4.0\nnpm: 11.4.2\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        &["exchange-not-found-immutable"],
        "sub = repo:acme@255665900/core@1377893932:ref:refs/tags/v0.2.2\nnpm http fetch POST 404 https://{{registry}}/-/npm/v1/oidc/token/exchange/package/acme-core 700ms\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/acme-core - Not found",
    ),
];

/// One log for each signature, written from its description: npm of today unless the signature is another tool's.
pub const LOGS: &[(&str, &str)] = &[
    (
        "stage-required",
        "npm notice Publishing to https://{{registry}}/ with tag latest and public access
npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - E_STAGE_REQUIRED: this token may only stage
npm error 403 In most cases, you or one of your dependencies are requesting a package version that is forbidden
npm error A complete log of this run can be found in: /home/runner/.npm/_logs/x-debug-0.log",
    ),
    (
        "oidc-action-denied",
        "npm notice publish Signed provenance statement with source and build information from GitHub Actions
npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - OIDC permission denied for this action",
    ),
    (
        "token-dead",
        "npm notice Access token expired or revoked. Please try logging in again.
npm error code E404
npm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found
npm error 404
npm error 404  '@acme/ui@1.2.3' is not in this registry.",
    ),
    (
        "exchange-fell-back",
        "npm notice publish Signed provenance statement with source and build information from GitHub Actions
npm notice publish Provenance statement published to transparency log
npm error code E404
npm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found",
    ),
    (
        "exchange-not-found",
        "npm http fetch POST 404 https://{{registry}}/-/npm/v1/oidc/token/exchange/package/@acme%2fui 210ms
npm verbose oidc Failed token exchange request with body message: OIDC token exchange error - package not found
npm notice publish Signed provenance statement with source and build information from GitHub Actions
npm error code E404
npm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found",
    ),
    (
        "pnpm-exchange-skipped",
        "[WARN] Skipped OIDC: ERR_PNPM_AUTH_TOKEN_EXCHANGE Failed token exchange request (status code 404)
+ @acme/ui@1.2.3",
    ),
    (
        "no-credential",
        "npm error code ENEEDAUTH
npm error need auth This command requires you to be logged in to https://{{registry}}/
npm error need auth You need to authorize this machine using `npm adduser`",
    ),
    (
        "id-token-not-available",
        "npm silly oidc Skipped because incorrect permissions for id-token within GitHub workflow
npm error code ENEEDAUTH
npm error need auth This command requires you to be logged in to https://{{registry}}/",
    ),
    (
        "provenance-without-id-token",
        "npm error code EUSAGE
npm error Provenance generation in GitHub Actions requires \"write\" access to the \"id-token\" permission",
    ),
    (
        "provenance-without-sigstore-token",
        "npm error code EUSAGE
npm error Provenance generation in GitLab CI requires \"SIGSTORE_ID_TOKEN\" with \"sigstore\" audience to be present",
    ),
    (
        "provenance-unsupported-provider",
        "npm error code EUSAGE
npm error Automatic provenance generation not supported for provider: CircleCI",
    ),
    (
        "provenance-needs-public",
        "npm error code EUSAGE
npm error Can't generate provenance for new or private package, you must set `access` to public.",
    ),
    (
        "whoami-refused",
        "npm error code E401
npm error 401 Unauthorized - GET https://{{registry}}/-/whoami",
    ),
    (
        "token-not-accepted",
        "npm error code E401
npm error Unable to authenticate, need: Bearer authorization",
    ),
    (
        "management-with-token",
        "npm error code E401
npm error 401 Unauthorized - GET https://{{registry}}/-/package/@acme%2fui/trust - Granular access tokens that bypass 2FA are being restricted",
    ),
    (
        "one-time-password",
        "npm error code EOTP
npm error This operation requires a one-time password from your authenticator.",
    ),
    (
        "two-factor-or-bypass-required",
        "npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - Two-factor authentication or granular access token with bypass 2fa enabled is required to publish packages.",
    ),
    (
        "version-exists",
        "npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - You cannot publish over the previously published versions: 1.2.3.",
    ),
    (
        "address-not-allowed",
        "npm error code EAUTHIP
npm error Unable to authenticate, need: ipaddress",
    ),
    (
        "packument-conflict",
        "npm error code E409
npm error 409 Conflict - PUT https://{{registry}}/@acme%2fui - Failed to save packument. A common cause is if you try to publish a new package before the previous package has been fully processed.",
    ),
    (
        "trust-exists",
        "npm http fetch POST 409 https://{{registry}}/-/package/@acme%2fui/trust 88ms
npm error code E409
npm error 409 Conflict",
    ),
    (
        "repository-url-mismatch",
        "npm error code E422
npm error 422 Unprocessable Entity - PUT https://{{registry}}/@acme%2fui - Error verifying sigstore provenance bundle: Failed to validate repository information: package.json: \"repository.url\" is \"\", expected to match \"https://github.com/acme/ui\" from provenance",
    ),
    (
        "rekor-equivalent-entry",
        "npm error code TLOG_CREATE_ENTRY_ERROR
npm error error creating tlog entry - (409) an equivalent entry already exists in the transparency log with UUID 108e",
    ),
    (
        "signing-service-failed",
        "npm error code TLOG_CREATE_ENTRY_ERROR
npm error error creating tlog entry - read ECONNRESET",
    ),
    (
        "signing-service-failed",
        "npm error code IDENTITY_TOKEN_READ_ERROR
npm error error retrieving identity token",
    ),
    (
        "rate-limited",
        "npm error code E429
npm error 429 Too Many Requests - PUT https://{{registry}}/@acme%2fui",
    ),
    (
        "refused-by-the-edge",
        "npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - <!DOCTYPE html><html lang=\"en-US\">",
    ),
    (
        "dist-tag-needed",
        "npm error You must specify a tag using --tag when publishing a prerelease version.
npm error A complete log of this run can be found in: /x",
    ),
    (
        "not-a-credential-failure",
        "npm error code EPRIVATE
npm error This package has been marked as private",
    ),
    (
        "not-a-credential-failure",
        "npm error code EALLOWGIT
npm error git dependencies are not allowed",
    ),
    (
        "payment-required",
        "npm error code E402
npm error 402 Payment Required - PUT https://{{registry}}/@acme%2fui - You must sign up for private packages",
    ),
    (
        "not-visible-yet",
        "+ @acme/ui@1.2.3
npm error code ETARGET
npm error notarget No matching version found for @acme/ui@1.2.3.",
    ),
    (
        "semantic-release-token",
        "[10:00:00 AM] [semantic-release] › ✘  EINVALIDNPMTOKEN Invalid npm token.
The npm token configured in the NPM_TOKEN environment variable must be a valid token",
    ),
    (
        "pnpm-publish-failed",
        "[ERR_PNPM_FAILED_TO_PUBLISH] Failed to publish package @acme/ui@1.2.3",
    ),
    (
        "yarn-no-authentication",
        "➤ YN0000: · Yarn 4.11.0
➤ YN0033: │ No authentication configured for request
➤ YN0000: · Failed with errors in 0s 300ms",
    ),
    (
        "write-refused-as-404",
        "npm error code E404
npm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found",
    ),
    (
        "dead-token-configured",
        "npm notice Access token expired or revoked. Please try logging in again.
added 12 packages in 3s",
    ),
];
