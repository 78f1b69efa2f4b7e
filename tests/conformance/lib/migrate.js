// usage: migrate.js JSON, with the options of migrate(); prints what came of it as JSON.
import { migrate } from './migrator.js';

console.log(JSON.stringify(await migrate(JSON.parse(process.argv[2]))));
