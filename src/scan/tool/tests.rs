#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;
use crate::scan::tree::Memory;

fn run(files: &[(&str, &str)], text: &str) -> Vec<Act> {
    let tree = Memory::new(files.iter().map(|(p, t)| (*p, *t)));
    let packages = Packages::collect(files.iter().copied());
    Project::new(&tree, &packages).acts(text, Some("")).to_vec()
}

/// What a script comes to, in one line per act that touches a registry.
fn brief(files: &[(&str, &str)], text: &str) -> Vec<String> {
    run(files, text)
        .iter()
        .filter(|a| {
            !matches!(
                a.what,
                What::Install | What::InstallTool(_) | What::Auth | What::Registry { .. }
            )
        })
        .map(|a| {
            let dry = if a.flags.dry_run { " dry" } else { "" };
            let what = format!("{:?}", a.what);
            let what = what.split('(').next().unwrap();
            match &a.version {
                Some(v) => format!("{what} {:?}@{v}{dry}", a.tool),
                None => format!("{what} {:?}{dry}", a.tool),
            }
        })
        .collect()
}

#[test]
fn publishes_of_every_tool() {
    let table: &[(&str, &[&str])] = &[
        ("npm publish", &["Publish Npm"]),
        ("npm publish --dry-run", &["Publish Npm dry"]),
        ("npm publish --dry-run=false", &["Publish Npm"]),
        ("npm publish --dry-run=${{ inputs.dry }}", &["Publish Npm"]),
        ("npm --workspace a publish", &["Publish Npm"]),
        ("npm stage publish", &["Stage Npm"]),
        ("npx npm@11 publish", &["Publish Npm@11"]),
        ("npx -y npm@11.5.1 publish --tag x", &["Publish Npm@11.5.1"]),
        ("npm exec -- npm publish", &["Publish Npm"]),
        ("pnpm publish -r --no-git-checks", &["Publish Pnpm"]),
        ("pnpm -r publish", &["Publish Pnpm"]),
        ("pnpm --filter @a/b publish", &["Publish Pnpm"]),
        ("pnpm recursive publish", &["Publish Pnpm"]),
        ("corepack pnpm publish", &["Publish Pnpm"]),
        ("pnpm stage publish", &["Stage Pnpm"]),
        ("yarn publish", &["Publish YarnClassic"]),
        ("yarn npm publish --access public", &["Publish YarnBerry"]),
        (
            "yarn workspaces foreach -A --no-private npm publish",
            &["Publish YarnBerry"],
        ),
        ("yarn workspace a npm publish", &["Publish YarnBerry"]),
        ("bun publish", &["Publish Bun"]),
        ("bunx npm publish", &["Publish Npm"]),
        ("lerna publish from-git", &["Publish Lerna"]),
        ("npx lerna@8 publish", &["Publish Lerna@8"]),
        ("pnpm lerna publish", &["Publish Lerna"]),
        ("yarn lerna publish --yes", &["Publish Lerna"]),
        ("npx lerna exec -- npm publish", &["Publish Npm"]),
        ("npx changeset publish", &["Publish Changesets"]),
        ("pnpm changeset publish", &["Publish Changesets"]),
        ("npx @changesets/cli publish", &["Publish Changesets"]),
        ("pnpm changeset version", &[]),
        ("npx semantic-release", &["Publish SemanticRelease"]),
        (
            "npx semantic-release # --dry-run",
            &["Publish SemanticRelease"],
        ),
        (
            "npx semantic-release --dry-run",
            &["Publish SemanticRelease dry"],
        ),
        (
            "npx -p semantic-release@24 -p x semantic-release",
            &["Publish SemanticRelease@24"],
        ),
        (
            "npx --package=semantic-release@25 -- semantic-release",
            &["Publish SemanticRelease@25"],
        ),
        ("npx nx release publish", &["Publish Nx"]),
        ("pnpm nx release --skip-publish", &[]),
        ("pnpm nx release version 1", &[]),
        ("npx release-it --ci", &["Publish ReleaseIt"]),
        ("npx release-it --no-npm.publish", &[]),
        ("npx np --no-publish", &[]),
        ("npx np", &["Publish Np"]),
        ("rush publish --publish --include-all", &["Publish Rush"]),
        (
            "node common/scripts/install-run-rush.js publish -p",
            &["Publish Rush"],
        ),
        ("rush publish --apply", &[]),
        ("npx -p publib@latest publib-npm", &["Publish Other@latest"]),
        ("npx jsr publish", &[]),
        ("npx vsce publish", &[]),
        ("cargo publish", &[]),
        ("deno publish", &[]),
        ("npx pkg-pr-new publish", &[]),
        ("npx can-npm-publish", &[]),
        ("echo npm publish", &[]),
        ("git commit -m 'npm publish'", &[]),
        ("npm run publish", &["Unread CustomScript"]),
    ];
    for (script, want) in table {
        // semantic-release publishes a package or nothing.
        let files: &[_] = match script.contains("semantic-release") {
            true => &[("package.json", r#"{"name":"a"}"#)],
            false => &[],
        };
        assert_eq!(&brief(files, script), want, "{script}");
    }
}

#[test]
fn wrappers_are_taken_off() {
    for script in [
        "sudo -E npm publish",
        "env A=b npm publish",
        "npx cross-env A=b npm publish",
        "bash -c 'npm publish'",
        "ls *.tgz | xargs -n1 npm publish",
        "timeout 10m npm publish",
        "find packages -maxdepth 1 -exec npm publish {} --access public \\;",
        "find dist -name '*.tgz' -execdir npm publish {} +",
        "docker run --rm -e NPM_TOKEN node:24 npm publish",
        "retry -t 3 -- npm publish",
        "(cd dist && npm publish)",
        "if true; then npm publish; fi",
        "eval \"npm publish\"",
        "op run -- npm publish",
        "./node_modules/.bin/np || npm publish",
    ] {
        let got = brief(&[], script);
        assert!(got.contains(&"Publish Npm".to_owned()), "{script}: {got:?}");
    }
}

#[test]
fn other_uses() {
    let table: &[(&str, &[&str])] = &[
        ("npm dist-tag add a@1 latest", &["DistTag Npm"]),
        ("makeshift -t $RELEASE_TOKEN", &["Login Npm"]),
        ("yarn global add makeshift", &[]),
        ("npm dist-tag ls", &[]),
        ("npm deprecate a 'x'", &["Deprecate Npm"]),
        ("npm unpublish a@1", &["Unpublish Npm"]),
        ("npm access set mfa=publish a", &["Access Npm"]),
        ("npm whoami", &["Whoami Npm"]),
        ("yarn npm tag add a@1 next", &["DistTag YarnBerry"]),
        ("yarn npm whoami", &["Whoami YarnBerry"]),
        ("npm config list", &["Dump Npm"]),
        ("env", &["Dump Other"]),
        ("printenv", &["Dump Other"]),
        ("set -x", &["Trace Other"]),
        ("set -euxo pipefail", &["Trace Other"]),
        ("set -e", &[]),
    ];
    for (script, want) in table {
        assert_eq!(&brief(&[], script), want, "{script}");
    }
}

#[test]
fn package_scripts_are_followed() {
    let root = r#"{"name":"r","private":true,"workspaces":["p/*"],"devDependencies":{"@changesets/cli":"2.29.0"},
        "scripts":{"release":"pnpm build && changeset publish","build":"tsc","ci":"npm run release","loop":"npm run loop",
        "all":"npm run ship --workspaces","dry":"npm publish --dry-run","postdeploy":"npm publish","deploy":"echo","x":"npm publish"}}"#;
    let member = r#"{"name":"@a/b","scripts":{"ship":"release-it","publish:all":"npm publish"}}"#;
    let files = [("package.json", root), ("p/b/package.json", member)];
    let table: &[(&str, &[&str])] = &[
        ("pnpm release", &["Publish Changesets@2.29.0"]),
        ("npm run ci", &["Publish Changesets@2.29.0"]),
        ("npm run loop", &[]),
        ("npm run all", &["Publish ReleaseIt"]),
        ("npm run dry", &["Publish Npm dry"]),
        ("npm run x -- --dry-run", &["Publish Npm dry"]),
        ("npm run deploy", &["Publish Npm"]),
        ("yarn workspace @a/b run publish:all", &["Publish Npm"]),
        ("npm run publish:all -w @a/b", &["Publish Npm"]),
        ("pnpm --filter @a/b run publish:all", &["Publish Npm"]),
        ("pnpm -r run publish:all", &["Publish Npm"]),
        ("cd p/b && npm run publish:all", &["Publish Npm"]),
        ("npx turbo run publish:all", &["Publish Npm"]),
        ("npx lerna run publish:all", &["Publish Npm"]),
        ("npx concurrently 'npm publish' 'ls'", &["Publish Npm"]),
    ];
    for (script, want) in table {
        assert_eq!(&brief(&files, script), want, "{script}");
    }
}

#[test]
fn script_files_are_followed() {
    let files = [
        (
            "scripts/publish.sh",
            "#!/bin/bash\nset -e\ncd dist\nnpm publish --tag next\n",
        ),
        (
            "scripts/release.ts",
            "import { execa } from 'execa'\nawait execa('npm', [\n  'publish',\n  ...(dry ? ['--dry-run'] : []),\n])\n",
        ),
        (
            "scripts/say.js",
            "// npm publish\nconsole.log('npm publish')\n",
        ),
        (
            "scripts/nx.ts",
            "import { releasePublish } from 'nx/release';\nawait releasePublish({});\n",
        ),
        ("scripts/p.py", "subprocess.run(['npm', 'publish'])\n"),
        ("Makefile", "publish: build\n\tnpm publish\nbuild:\n\ttsc\n"),
        (
            "Taskfile.yml",
            "tasks:\n  publish:\n    cmds:\n      - pnpm publish\n",
        ),
    ];
    let table: &[(&str, &[&str])] = &[
        ("./scripts/publish.sh", &["Publish CustomScript"]),
        ("bash scripts/publish.sh", &["Publish CustomScript"]),
        ("npx tsx scripts/release.ts", &["Publish CustomScript"]),
        ("node scripts/say.js", &[]),
        ("pnpm tsx scripts/nx.ts", &["Publish CustomScript"]),
        ("python scripts/p.py", &["Publish CustomScript"]),
        ("make publish", &["Publish CustomScript"]),
        (
            "task -v publish TARBALL=x -- --dry",
            &["Publish CustomScript"],
        ),
        ("./missing/publish.sh", &["Unread CustomScript"]),
    ];
    for (script, want) in table {
        assert_eq!(&brief(&files, script), want, "{script}");
    }
    assert_eq!(
        run(&files, "./scripts/publish.sh")[0].inner,
        Some(Tool::Npm)
    );
}

#[test]
fn release_tools_that_do_not_publish_to_npm() {
    let manifest = ("package.json", r#"{"name":"a"}"#);
    let table: &[(&str, &str, bool)] = &[
        (
            ".releaserc",
            r#"{"plugins":["@semantic-release/github"]}"#,
            false,
        ),
        (
            ".releaserc",
            r#"{"plugins":["@semantic-release/npm","@semantic-release/github"]}"#,
            true,
        ),
        (
            ".releaserc.json",
            r#"{"plugins":[["@semantic-release/npm",{"npmPublish":false}]]}"#,
            false,
        ),
        (
            ".releaserc.yml",
            "plugins:\n  - '@semantic-release/npm'\n",
            true,
        ),
        (".releaserc.json", r#"{"branches":["main"]}"#, true),
        (
            "release.config.js",
            "module.exports = { plugins: ['@semantic-release/git'] }",
            false,
        ),
        (
            ".releaserc",
            r#"{"plugins":[["@semantic-release/exec",{"publishCmd":"poetry publish"}]]}"#,
            false,
        ),
        (
            "release.config.cjs",
            "module.exports = { extends: '@acme/release-config' }",
            true,
        ),
    ];
    for (file, text, want) in table {
        let got = brief(&[manifest, (file, text)], "npx semantic-release");
        assert_eq!(!got.is_empty(), *want, "{file} {text}");
    }
    assert!(brief(&[], "npx semantic-release").is_empty());
    let off = brief(
        &[
            manifest,
            (".release-it.json", r#"{"npm":{"publish":false}}"#),
        ],
        "npx release-it",
    );
    assert!(off.is_empty());
}

#[test]
fn credentials_written_to_files() {
    let host = "registry.example.org";
    let table = [
        (
            format!("echo //{host}/:_authToken=${{NPM_TOKEN}} > ~/.npmrc"),
            "${NPM_TOKEN}",
        ),
        (
            format!("echo \"//{host}/:_authToken=$T\" | tee -a .npmrc"),
            "$T",
        ),
        (
            format!("cat > .npmrc <<EOF\n//{host}/:_authToken=${{{{ secrets.X }}}}\nEOF\n"),
            "${{ secrets.X }}",
        ),
        (
            format!("npm config set //{host}/:_authToken ${{A}}"),
            "${A}",
        ),
        (
            format!("npm config set //{host}/:_authToken=${{A}}"),
            "${A}",
        ),
        (format!("npm set '//{host}/:_authToken' '${{A}}'"), "${A}"),
        ("yarn config set npmAuthToken $A".to_owned(), "$A"),
        (
            format!("yarn config set 'npmRegistries[\"//{host}\"].npmAuthToken' $A"),
            "$A",
        ),
    ];
    for (script, value) in table {
        let acts = run(&[], &script);
        let auth = acts
            .iter()
            .find_map(|a| a.auth.clone())
            .unwrap_or_else(|| panic!("{script}"));
        assert_eq!(auth.value, value, "{script}");
    }
    let planted = format!("npm_{}", "x".repeat(36));
    let acts = run(
        &[],
        &format!("echo //{host}/:_authToken={planted} > .npmrc"),
    );
    let auth = acts[0].auth.clone().unwrap();
    assert!(auth.literal && auth.value.is_empty());
    let env = run(
        &[],
        "echo \"NODE_AUTH_TOKEN=${{ secrets.X }}\" >> $GITHUB_ENV",
    );
    assert_eq!(
        env[0].what,
        What::SetEnv("NODE_AUTH_TOKEN".into(), "${{ secrets.X }}".into())
    );
}

#[test]
fn more_ways_to_write_credentials_and_to_release() {
    let host = "registry.example.org";
    let npmrc = format!("//{host}/:_authToken=${{NPM_TOKEN}}\n");
    let files = [
        ("ci/npmrc", npmrc.as_str()),
        ("package.json", "{\"name\":\"a\"}"),
    ];
    let auth = |text: &str| {
        run(&files, text)
            .into_iter()
            .find_map(|a| a.auth)
            .map(|a| a.value)
    };
    assert_eq!(
        auth("cp ci/npmrc ~/.npmrc").as_deref(),
        Some("${NPM_TOKEN}")
    );
    assert_eq!(
        auth("echo \"$NPMRC\" > ~/.npmrc").as_deref(),
        Some("$NPMRC")
    );
    assert_eq!(
        auth("echo \"${{ secrets.NPMRC }}\" > .npmrc").as_deref(),
        Some("${{ secrets.NPMRC }}")
    );
    let table: &[(&str, &[&str])] = &[
        ("npx gulp publish", &["Unread CustomScript"]),
        ("npx clean-publish", &["Publish Other"]),
        ("npx zx-bulk-release", &["Unread Other"]),
        ("bazel run //kit:kit.publish", &["Unread CustomScript"]),
        ("bazel run //kit:docs", &[]),
        ("npx nx run kit:publish", &["Unread Nx"]),
        ("npx nx run-many -t build", &[]),
        ("cargo publish", &[]),
        ("npx vsce publish", &[]),
        ("helm publish x", &[]),
        (
            "sf-release npm:package:release --no-install",
            &["Unread Other"],
        ),
        ("dart run grinder pkg-npm-deploy", &["Unread CustomScript"]),
        (
            "T=$X; export NODE_AUTH_TOKEN=$T; npm publish",
            &["Publish Npm"],
        ),
    ];
    for (script, want) in table {
        assert_eq!(&brief(&files, script), want, "{script}");
    }
    let acts = run(&files, "export NODE_AUTH_TOKEN=$T\nnpm publish");
    assert_eq!(
        acts[0].env,
        [("NODE_AUTH_TOKEN".to_owned(), "$T".to_owned())]
    );
    let local = [(
        "e2e.js",
        "execSync('npm publish --registry http://localhost:4873')\n",
    )];
    assert_eq!(
        run(&local, "node e2e.js")[0].flags.registry.as_deref(),
        Some("http://localhost:4873")
    );
    let private = [("package.json", "{\"name\":\"a\",\"private\":true}")];
    assert!(brief(&private, "npx changeset publish").is_empty());
}

#[test]
fn what_was_followed_once_counts_for_every_caller() {
    let root = r#"{"name":"r","private":true,"workspaces":["p/*"],"scripts":{
        "x":"npm publish","a":"npm run b","b":"npm run a; npm run x"}}"#;
    let first = r#"{"name":"@a/a","scripts":{"build":"npm run ship","ring":"npx turbo run ring"}}"#;
    let second = r#"{"name":"@a/b","scripts":{"ship":"npm publish","ring":"npx turbo run ring"}}"#;
    let files = [
        ("package.json", root),
        ("p/a/package.json", first),
        ("p/b/package.json", second),
    ];
    let tree = Memory::new(files);
    let packages = Packages::collect(files);
    let project = Project::new(&tree, &packages);
    let acts = |text: &str| project.acts(text, Some(""));
    let twice = acts("T=$A npm run x\nNPM_CONFIG_DRY_RUN=true npm run x || true");
    let [one, two] = &*twice else {
        panic!("{twice:?}")
    };
    assert_eq!(one.env, [("T".to_owned(), "$A".to_owned())]);
    assert_eq!(
        (one.line, one.flags.dry_run, one.failure_ignored),
        (0, false, false)
    );
    assert_eq!(
        (two.line, two.flags.dry_run, two.failure_ignored),
        (1, true, true)
    );
    assert_eq!(two.via, ["package.json#x"]);
    // A ring is seen whole from wherever it is entered.
    for start in ["npm run a", "npm run b", "npm run a"] {
        let found = acts(start);
        assert_eq!(found.len(), 1, "{start}: {found:?}");
        assert_eq!(found[0].what, What::Publish);
    }
    // What a workspace's script runs is looked for in that workspace, not in the others.
    assert!(acts("npx turbo run build").is_empty());
    let before = project.spent.get();
    assert!(acts("npx turbo run ring").is_empty());
    assert!(project.spent.get() - before <= 4);
}

#[test]
fn a_taskfile_is_read_once_and_its_aliases_do_not_multiply_it() {
    let long = "x".repeat(1000);
    let many = vec!["*a"; 5000].join(", ");
    let text =
        format!("tasks:\n  first: npm publish\n  bomb:\n    dir: &a {long}\n    cmds: [{many}]\n");
    let files = [("Taskfile.yml", text.as_str())];
    assert_eq!(brief(&files, "task first"), ["Publish CustomScript"]);
    let kept = file::Taskfile::read(&text).size();
    assert!(kept <= 8 * text.len(), "{kept}");
}

#[test]
fn programs_that_run_other_programs() {
    let lerna = [
        (
            "package.json",
            r#"{"private":true,"workspaces":["kits/*"],"scripts":{"lerna":"lerna","once":"travis-deploy-once","out":"semantic-release"}}"#,
        ),
        ("kits/a/package.json", r#"{"name":"a","version":"1.0.0"}"#),
    ];
    let table: &[(&str, &[&str])] = &[
        ("yarn run changeset publish", &["Publish Changesets"]),
        ("bun run changeset publish", &["Publish Changesets"]),
        // pnpm and npm run scripts only.
        ("pnpm run changeset publish", &[]),
        ("npm run lerna publish from-git", &["Publish Lerna"]),
        ("npm run lerna -- publish from-git", &["Publish Lerna"]),
        ("npm run lerna --publish", &[]),
        ("travis-deploy-once 'npm publish'", &["Publish Npm"]),
        ("npm run once 'npm run out'", &["Publish SemanticRelease"]),
        (
            "yarn workspaces foreach -pt exec 'yarn npm publish --tag next'",
            &["Publish YarnBerry"],
        ),
        ("rush publish --publish --include-all", &["Publish Rush"]),
        ("rush publish --publish --pack --release-folder out", &[]),
        (
            "node \"$OUT\"/bin/yarn.js npm publish",
            &["Publish YarnBerry"],
        ),
        ("node tools/npm-cli.js publish", &["Publish Npm"]),
        ("volta run --node 22 npm publish", &["Publish Npm"]),
        ("nvm exec v22 npm publish", &["Publish Npm"]),
        ("nvm exec npm publish", &["Publish Npm"]),
        (
            "npm ${{ x && 'publish' || 'publish --tag a' }}",
            &["Publish Npm"],
        ),
        ("npm ${{ x && 'pack' || 'test' }}", &[]),
        ("npm publish --help", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(brief(&lerna, text), *expected, "{text}");
    }
}

#[test]
fn a_rehearsal_that_the_caller_decides_on_can_publish() {
    let table = [
        (
            "npm publish x.tgz --dry-run ${{ lower(parameters.dry) }}",
            false,
        ),
        ("npm publish x.tgz --dry-run false", false),
        ("npm publish --dry-run x.tgz", true),
        ("npm publish --dry-run $FOLDER", true),
    ];
    for (text, dry) in table {
        assert_eq!(run(&[], text)[0].flags.dry_run, dry, "{text}");
    }
}

#[test]
fn a_script_named_in_part_stands_for_those_that_fit() {
    let manifest = r#"{"name":"kite","version":"1.0.0","scripts":{
        "lint":"eslint .",
        "ship:check":"npm publish --dry-run",
        "ship:minor":"lerna publish minor --yes",
        "ship:patch":"lerna publish patch --yes",
        "build:web":"tsc"}}"#;
    let files = [("package.json", manifest)];
    for text in [
        "npm run ship:${{ inputs.size }}",
        "npm run ship:$SIZE",
        "yarn ship:$SIZE",
        "pnpm run ship:${SIZE}",
    ] {
        assert_eq!(brief(&files, text), ["Publish Lerna"], "{text}");
    }
    // Nothing that fits publishes, or nothing tells which scripts are meant.
    for text in ["npm run build:$WHAT", "npm run ${{ matrix.script }}"] {
        assert!(brief(&files, text).is_empty(), "{text}");
    }
}

#[test]
fn a_registry_named_by_a_variable_of_the_script() {
    let table = [
        (
            "at=http://localhost:4000\nnpm publish --registry $at",
            "http://localhost:4000",
        ),
        (
            "at=http://localhost:4000\nnpm publish --registry=\"${at}\"",
            "http://localhost:4000",
        ),
        ("npm publish --registry $at", "$at"),
    ];
    for (text, registry) in table {
        let acts = run(&[], text);
        let publish = acts.iter().find(|a| a.what == What::Publish).unwrap();
        assert_eq!(publish.flags.registry.as_deref(), Some(registry), "{text}");
    }
}

#[test]
fn programs_that_publish_with_flags_before_the_verb() {
    let table = [
        ("execSync(`yarn --cwd ${kite.dir} publish`);", "YarnClassic"),
        (
            "run('pnpm', ['--filter', name, 'publish', '--no-git-checks']);",
            "Pnpm",
        ),
        (
            "run('npm', [\n  '--prefix',\n  dir,\n  'publish',\n]);",
            "Npm",
        ),
        ("sh(`yarn --cwd ${dir} npm publish`);", "YarnBerry"),
        ("sh(`npm --prefix ${dir} run publish-docs`);", ""),
        ("sh(`yarn --cwd ${dir} run publish`);", ""),
        ("sh(`npm --version`); say('then publish');", ""),
    ];
    for (code, inner) in table {
        let acts = run(&[("ship.js", code)], "node ship.js");
        let inner_of = |a: &Act| a.inner.map(|t| format!("{t:?}")).unwrap_or_default();
        let found: Vec<String> = acts.iter().map(inner_of).collect();
        assert_eq!(found.join(" "), inner, "{code}");
    }
}

#[test]
fn commands_that_variables_name() {
    let table: &[(&str, &[&str])] = &[
        ("run='npm publish --tag x'\n$run", &["Publish Npm"]),
        ("run='npm publish'\neval \"$run\"", &["Publish Npm"]),
        (
            "go=(pnpm publish --no-git-checks)\n\"${go[@]}\"",
            &["Publish Pnpm"],
        ),
        ("NPM=npm\n$NPM publish", &["Publish Npm"]),
        (
            "if [ -n \"$DRY\" ]; then\n  run='npm publish --dry-run'\nelse\n  run='npm publish'\nfi\n$run",
            &["Publish Npm dry", "Publish Npm"],
        ),
        ("run=\"$run --x\"\n$run", &[]),
        // No value is known: the words alone speak of a release.
        ("a='$b'\nb='$a'\n$a publish", &["Unread Other"]),
    ];
    for (text, expected) in table {
        assert_eq!(brief(&[], text), *expected, "{text}");
    }
}

#[test]
fn words_of_a_call_that_stand_in_a_list() {
    let table: &[(&str, &[&str])] = &[
        (
            "const words = ['publish'];\nif (beta) words.push('--tag', 'beta');\nrunner.spawnSync('npm', words, { cwd });\n",
            &["Publish CustomScript"],
        ),
        (
            "let words = [\n  \"publish\",\n  \"--access\", \"public\",\n];\nawait execa(\"pnpm\", words);\n",
            &["Publish CustomScript"],
        ),
        ("const words = ['pack'];\nspawnSync('npm', words);\n", &[]),
        (
            "const words = ['publish'];\nspawnSync('docker', words);\n",
            &[],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(brief(&[("go.js", text)], "node go.js"), *expected, "{text}");
    }
}

#[test]
fn what_make_calls_its_own() {
    let file = "ship: pack\nifdef CI\n\tnpm publish $(FLAGS)\nelse\n\techo local\nendif\n\n\
                other:\n\ttar cf $(RELEASE) x\n\techo $$(date)\n\npack:\n\ttsc\n";
    let files = [("Makefile", file)];
    assert_eq!(brief(&files, "make ship"), ["Publish CustomScript"]);
    // A variable whose name speaks of releasing is no program.
    assert!(brief(&files, "make other").is_empty());
}

#[test]
fn tasks_of_mise() {
    let file = "[tools]\nnode = \"24\"\n\n[tasks.ship]\ndepends = [\"pack\"]\ndir = \"out\"\n\
                run = [\"npm publish\"]\n\n[tasks]\npack = \"tsc\"\n";
    let files = [("mise.toml", file)];
    assert_eq!(brief(&files, "mise run ship"), ["Publish CustomScript"]);
    assert_eq!(
        brief(&files, "mise r ship -- --verbose"),
        ["Publish CustomScript"]
    );
    assert!(brief(&files, "mise run pack").is_empty());
    assert_eq!(brief(&files, "mise exec -- npm publish"), ["Publish Npm"]);
    assert_eq!(brief(&[], "mise run publish"), ["Unread CustomScript"]);
}
