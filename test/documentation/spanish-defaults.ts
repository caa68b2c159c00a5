/** How README.es.md says the defaults that are words; what is not here is a value, the same in both languages. */
export const SPANISH_DEFAULTS: Readonly<Record<string, string>> = {
  '127.0.0.1 (0.0.0.0 in the image)': '127.0.0.1 (0.0.0.0 en la imagen)',
  './data (/data in the image)': './data (/data en la imagen)',
  unset: 'sin valor',
  'unset: embedded database in `DATA_DIR`': 'sin valor: base de datos embebida en `DATA_DIR`',
  'redis with `REDIS_URL`, otherwise inline': 'redis con `REDIS_URL`; si no, inline',
  'unset: inline dispatcher': 'sin valor: reparto en el mismo proceso',
  'unset: not checked': 'sin valor: no se comprueba',
  'unset: as long as the event': 'sin valor: tanto como el evento',
  'true (false in production with `DATABASE_URL`)': 'true (false en producción con `DATABASE_URL`)',
  'generated in embedded mode; otherwise one of the three JWT variables is required':
    'se genera con la base embebida; si no, hace falta una de las tres variables JWT',
  'generated in embedded mode; otherwise required': 'se genera con la base embebida; si no, es obligatoria',
  'false; loopback with the embedded database': 'false; loopback con la base de datos embebida',
  empty: 'vacío',
  "empty: the system's": 'vacío: los del sistema',
  'empty: no CORS': 'vacío: sin CORS',
  'json; pretty on a terminal': 'json; pretty en una terminal',
};
