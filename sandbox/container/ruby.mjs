import { madeUpRuby } from './made-up-ruby.mjs';

process.exit(await madeUpRuby(process.argv.slice(2), process.env, (line) => console.log(line)));
