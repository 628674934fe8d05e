//! The rules of the checks in Spanish, for students' pages. In English, a check's summary is its
//! rule.

use super::model::Text;
use crate::checkers::Checker;

/// The rule of a check.
pub(super) fn rule(checker: &Checker) -> Text {
    match IN_SPANISH.binary_search_by_key(&checker.name, |(name, _)| name) {
        Ok(found) => Text::new(checker.summary, IN_SPANISH[found].1),
        Err(_) => Text::plain(checker.summary),
    }
}

/// By check name, in alphabetical order.
const IN_SPANISH: &[(&str, &str)] = &[
    (
        "acked_not_lost",
        "Toda escritura confirmada está en el registro de cada líder de una época posterior.",
    ),
    (
        "acked_replicated",
        "Las réplicas que exige el modo han guardado la escritura de forma duradera antes de que \
        su cliente reciba una respuesta.",
    ),
    (
        "acknowledged_is_committed",
        "Una escritura se confirma solo después de comprometer y aplicar una entrada con su \
            cliente y su número de serie.",
    ),
    (
        "acknowledged_writes_kept",
        "Toda escritura que un servidor ha confirmado está en la historia de cada líder \
            establecido después.",
    ),
    (
        "all_operations_answered",
        "Cuando todo se ha recuperado, ningún cliente se queda sin respuesta a tiempo dos veces \
            seguidas.",
    ),
    (
        "answered_in_all_databases",
        "Cada libro del que se informó a un usuario está al final en la base de datos de todos los \
        servidores, y en cada posición tienen todas la misma línea.",
    ),
    (
        "answered_is_applied",
        "Cuando se dice a un cliente que su cambio está hecho, un servidor ha aplicado una orden \
            de ese cliente por cada uno de sus cambios confirmados.",
    ),
    (
        "applied_in_order",
        "Cada réplica aplica los registros sin huecos, y un mismo número designa en todas el mismo \
        registro, con los mismos formularios.",
    ),
    (
        "applied_without_gaps",
        "Desde su instantánea, un nodo aplica cada índice una vez y en orden, hasta que vuelve a \
            arrancar.",
    ),
    (
        "at_most_once",
        "La petición de un cliente surte efecto en un solo registro, también cuando cambia el \
            líder.",
    ),
    (
        "audio_accounting",
        "Al final de una sesión, las cuentas del oyente cuadran: cuántas tramas reprodujo y \
        ocultó, y las reproducidas y las perdidas suman todas las suyas.",
    ),
    (
        "audio_backoff",
        "Las pausas entre los intentos de un oyente de encontrar líder se duplican cada vez, hasta \
        un segundo.",
    ),
    (
        "audio_buffer_bounded",
        "Ningún búfer de jitter guarda más tramas de las que su oyente ha declarado.",
    ),
    (
        "audio_byte_exact",
        "Cada trama que reproduce un oyente es idéntica, byte a byte, a la trama de la canción.",
    ),
    (
        "audio_concealment",
        "El audio de relleno que oye un oyente no supera una proporción dada, ni una duración dada \
        sin interrupción.",
    ),
    (
        "audio_in_order",
        "Cada oyente reproduce las tramas de una sesión en orden, y ninguna dos veces.",
    ),
    (
        "audio_jitter",
        "El jitter entre llegadas de cada oyente sigue la fórmula J += (|D| − J) / 16.",
    ),
    (
        "audio_one_session",
        "Cada subida da lugar a una sola sesión, se reintente las veces que se reintente y sea \
        quien sea el líder.",
    ),
    ("audio_one_source", "Un líder depuesto no sigue emitiendo junto al nuevo."),
    ("audio_pacing", "Ninguna trama llega antes de su hora en más del margen dado."),
    (
        "audio_playback_resumes",
        "Con una mayoría de los emisores en marcha, todo oyente vuelve a oír la canción en un \
        tiempo dado después de un fallo.",
    ),
    (
        "audio_resume_position",
        "Un líder nuevo sigue en la posición replicada: ni antes, ni más allá de tramas que nunca \
            se enviaron.",
    ),
    (
        "audio_song_heard",
        "Todo oyente no afectado por fallos oye cada canción confirmada hasta el final, y le falta \
        como mucho una parte dada.",
    ),
    (
        "audio_upload_answered",
        "Poco después de que todo se recupere, toda subida empezada está confirmada.",
    ),
    (
        "audio_upload_complete",
        "Una subida confirmada tiene el tamaño y el resumen (digest) del fichero original.",
    ),
    (
        "audio_upload_stored",
        "Una subida se confirma solo cuando el registro replicado la ha guardado.",
    ),
    (
        "availability",
        "Se responde al menos a una parte de las operaciones, y el servicio nunca está demasiado \
            tiempo sin dar una respuesta.",
    ),
    (
        "berkeley_agreement",
        "Dos relojes de la misma ronda del algoritmo de Berkeley coinciden, salvo la deriva, \
            dentro de los errores de sus sondeos.",
    ),
    (
        "berkeley_outliers_rejected",
        "La media se calcula sobre un grupo máximo de relojes que difieren entre sí menos de \
        gamma.",
    ),
    ("best_sample_used", "Una ronda usa la hora de la muestra con menor retardo, no una media."),
    (
        "book_once_a_session",
        "Ningún libro se entrega a dos peticiones de una sesión, se pregunte a los servidores que \
            se pregunte.",
    ),
    (
        "books_keep_coming",
        "Entre un momento en que un usuario recibe un libro y el siguiente no pasa demasiado \
            tiempo: las sesiones se suceden.",
    ),
    (
        "bound_is_earned",
        "La cota de error de una ronda es la mitad de su ida y vuelta menos el retardo mínimo, y \
            lo que añaden la deriva y la fuente; ni más ni menos.",
    ),
    (
        "claimed_bound_holds",
        "En cada lectura el reloj difiere de la hora verdadera como mucho en el error que declara \
            su máquina.",
    ),
    (
        "clock_converges",
        "Tras una corrección, la ronda siguiente no encuentra más error que el que explican las \
        dos cotas, la deriva y la parte aún no aplicada.",
    ),
    (
        "clock_never_backwards",
        "Con `slew` y con `hold` ningún reloj muestra menos que antes, desde su primera ronda.",
    ),
    (
        "clock_within",
        "Desde poco después de arrancar, un servidor muestra su reloj con la frecuencia \
        suficiente, con un error menor que uno dado, y declara un error menor que otro dado.",
    ),
    (
        "commit_on_majority",
        "La entrada que un líder compromete la guarda de forma duradera una mayoría de la \
            configuración vigente.",
    ),
    (
        "committed_never_truncated",
        "Ningún nodo elimina ni sustituye una entrada comprometida de su registro.",
    ),
    (
        "conditional_updates",
        "Un cambio o un borrado con versión tiene éxito exactamente cuando esa es la versión del \
        znode, y cada cambio la incrementa en uno.",
    ),
    (
        "config_barrier",
        "Un líder añade un cambio de un solo servidor únicamente después de comprometer una \
            entrada de su propio mandato.",
    ),
    (
        "config_quorum_overlap",
        "Todo quórum de una configuración comparte algún miembro con todo quórum de la siguiente, \
        y no se comprometen dos configuraciones rivales para el mismo índice.",
    ),
    (
        "convergence",
        "Cuando todo se ha recuperado, cada miembro del grupo que funciona compromete todo lo que \
            han comprometido los demás.",
    ),
    (
        "elected_by_majority",
        "Un nodo es líder de un mandato solo con los votos de una mayoría en ese mandato, contando \
            el suyo.",
    ),
    ("election_safety", "En toda la ejecución hay como mucho un líder por mandato."),
    (
        "election_znodes_kept",
        "Nadie elimina un znode efímero de la elección mientras vive su sesión, salvo esa misma \
        sesión.",
    ),
    ("elections", "En toda la ejecución no se ganan, ni se inician, más elecciones que las dadas."),
    (
        "ephemerals_live",
        "Un znode efímero pertenece a una sesión viva y desaparece cuando esta acaba; antes, solo \
        si lo pide un cliente.",
    ),
    (
        "epoch_fencing",
        "Una réplica no guarda nada de una época anterior a la que ha prometido seguir, y no \
            olvida su promesa.",
    ),
    (
        "epochs_increase",
        "El coordinador nunca vuelve a una vista anterior, ni siquiera tras reiniciarse, y cada \
        versión de la vista tiene un único contenido.",
    ),
    (
        "every_book_accounted",
        "En cuanto se dice a los usuarios que no queda ningún libro, o conocen una sesión \
        posterior, cada libro de la sesión corresponde a alguna petición.",
    ),
    (
        "exactly_once",
        "La orden de un cliente surte efecto en un solo índice, se envíe las veces que se envíe.",
    ),
    (
        "fencing",
        "Las épocas de las medias que acepta el almacén nunca disminuyen, y cada una es de una \
            sola instancia.",
    ),
    (
        "fifo_client_order",
        "Las peticiones de una sesión se responden en el orden en que se enviaron, y sus \
            escrituras tienen zxids crecientes.",
    ),
    (
        "forms_linearizable",
        "Las respuestas sobre cada formulario son las de un solo almacén, dentro de los tiempos \
            que vieron los clientes.",
    ),
    (
        "hash_chain",
        "Todo registro guardado está encadenado al anterior, y una recuperación ni acepta un \
            registro manipulado ni rechaza uno sano.",
    ),
    (
        "in_sync_complete",
        "Con `sync-all`, la réplica que entra en el conjunto sincronizado ha guardado todo lo \
            definitivo.",
    ),
    (
        "journal_survives_crash",
        "Una máquina que vuelve a arrancar tiene cada sentencia, entrega y anotación que había \
            comunicado antes.",
    ),
    ("leader_append_only", "Un líder, mientras lo es, solo añade a su registro."),
    (
        "leader_completeness",
        "Todo líder tiene todas las entradas comprometidas en mandatos anteriores.",
    ),
    ("leader_elected", "Poco después de que todo se recupere hay un líder."),
    (
        "leader_serves",
        "Los clientes reciben sus respuestas de una réplica que es líder, en una vista confirmada.",
    ),
    (
        "leader_still_heard",
        "No se guarda ninguna media de un líder cuya sesión lleva en silencio más que su plazo y \
        un margen.",
    ),
    (
        "lease_exclusive",
        "No se sirve ninguna lectura con un arrendamiento después de que otro nodo haya \
        comprometido algo en un mandato posterior.",
    ),
    (
        "linearizable",
        "Las operaciones sobre cada clave son las de un almacén que las sirve una tras otra, \
            dentro de los tiempos que vieron los clientes.",
    ),
    (
        "log_matching",
        "Los registros que tienen una entrada con el mismo índice y mandato son iguales en todo \
            hasta ella.",
    ),
    (
        "mean_cadence",
        "A partir de cierto momento, llega una media nueva dentro del plazo de la sesión, un tic y \
            dos periodos.",
    ),
    (
        "mean_from_elected",
        "Toda media guardada lleva el `czxid` de un znode secuencial que para entonces era el \
            primero de la fila de la elección.",
    ),
    (
        "mean_of_one_instant",
        "Toda media guardada es la media de todas las medidas efímeras vivas en un mismo zxid.",
    ),
    ("mean_stored_once", "Ninguna media se guarda dos veces, se envíe las veces que se envíe."),
    (
        "measurement_cadence",
        "A partir de cierto momento, cada instancia en marcha escribe de nuevo su medida dentro \
            del plazo de la sesión, un tic y dos periodos.",
    ),
    (
        "multi_atomic",
        "Dos znodes que solo se cambian juntos, en un multi, son iguales después de cada \
            transacción.",
    ),
    (
        "no_herd",
        "Cuando desaparece el znode de un aspirante o cambia la fila, se avisa como mucho a una \
        sesión.",
    ),
    (
        "no_orphans",
        "Todo znode se crea debajo de uno que existe y no es efímero, y no se elimina ninguno que \
        tenga hijos.",
    ),
    ("no_panic", "Ningún nodo entra en pánico, y ningún programa termina por su cuenta."),
    (
        "none_left_is_true",
        "A los usuarios se les dice que no queda ningún libro solo cuando se han entregado todos \
            los de la sesión.",
    ),
    (
        "one_config_in_flight",
        "Un líder añade una configuración solo cuando sabe que la anterior está comprometida.",
    ),
    (
        "one_leader_at_last",
        "Bastante después de que todo se recupere, un miembro del grupo se presenta como líder, y \
        no hay dos que lo hagan todo el tiempo.",
    ),
    ("one_leader_per_epoch", "Como mucho una réplica es líder en cada época."),
    (
        "p2p_answered_in_time",
        "Cada orden termina con un código de estado en un tiempo limitado, salvo que su propio \
        nodo no esté.",
    ),
    (
        "p2p_dates",
        "Cada operación lleva fecha y hora, como dd/mm/yyyy hh:mm:ss, tal como el servicio de \
            fecha se las dijo a ese nodo.",
    ),
    (
        "p2p_directory_linearizable",
        "Los códigos de estado y las listas de ficheros son los de un directorio que sirve una \
            petición tras otra.",
    ),
    (
        "p2p_failure_leaves_files",
        "Una transferencia que falla, o una caída, deja lo que había antes bajo el nombre \
            definitivo; nunca queda ahí nada a medias.",
    ),
    (
        "p2p_files_whole",
        "Un fichero recibido tiene la longitud y el resumen (digest) que tenía en su origen, y el \
            código 0 significa que está ahí.",
    ),
    (
        "p2p_ghosts_vanish",
        "Un usuario cuyo nodo se ha caído deja de estar conectado al cabo de unos pocos plazos de \
        arrendamiento.",
    ),
    (
        "p2p_only_published_served",
        "Un nodo envía solo ficheros de su carpeta compartida que su usuario ha publicado y no ha \
            retirado desde entonces.",
    ),
    (
        "p2p_operation_log",
        "Toda operación a la que el directorio ha respondido está en el registro de operaciones, \
            una vez y en orden.",
    ),
    (
        "p2p_published_is_fetched",
        "Un fichero que un nodo alcanzable tiene publicado todo el tiempo se obtiene, estuviera \
            ese nodo donde estuviera antes.",
    ),
    (
        "p2p_script",
        "Cada línea de un guion que indica qué código de estado espera recibe ese código.",
    ),
    (
        "p2p_statuses",
        "Cada código de estado es uno de los de su servicio, y \"fail\" se devuelve solo para \
        nombres que no pueden existir.",
    ),
    (
        "p2p_users_listed",
        "Una lista de usuarios muestra a quienes estaban conectados en algún momento de la \
            llamada, una vez, donde estaban, y a nadie más.",
    ),
    (
        "persist_before_reply",
        "El mandato, el voto, las entradas y la instantánea que un nodo ha mostrado siguen ahí \
            cuando vuelve a arrancar.",
    ),
    (
        "prefix_equal",
        "De todo lo guardado en una época, los registros con el mismo número tienen el mismo hash.",
    ),
    (
        "read_through_followers",
        "Ningún líder responde a una lectura si, cuando se preguntó, ya servía un líder de una \
            época posterior.",
    ),
    (
        "recipe_one_leader",
        "En ningún zxid hay dos aspirantes cuyos znodes los lleven a considerarse líder.",
    ),
    (
        "recovery_keeps_records",
        "Una réplica que vuelve a arrancar tiene todos los registros que había guardado; solo \
            falta la cola rota, de la que no se informó a nadie.",
    ),
    (
        "refused_leader_stops",
        "Un líder al que se le rechaza una media deja de enviar tras un breve margen.",
    ),
    (
        "replicas_converge",
        "Cuando todo se ha recuperado, cada réplica que funciona ha aplicado lo mismo que las \
            demás, con los mismos resúmenes.",
    ),
    (
        "replicas_equal",
        "Los servidores que han aplicado las mismas transacciones tienen el mismo árbol.",
    ),
    (
        "reply_matches_request",
        "La respuesta que usa una ronda corresponde a la pregunta cuya hora toma como referencia, \
        y se usa una sola vez.",
    ),
    ("request_once", "Ninguna petición recibe dos libros, se envíe las veces que se envíe."),
    (
        "retry_not_duplicate",
        "A ninguna petición que ha surtido efecto se responde que fue rechazada.",
    ),
    (
        "round_error_within_bound",
        "La hora que calcula una ronda difiere de la verdadera, salvo la deriva, como mucho en la \
        mitad de la ida y vuelta menos el retardo mínimo.",
    ),
    (
        "rounds_recorded",
        "Cada ronda que un servidor ha guardado acaba anotada por el coordinador, una vez, en \
            orden y con las mismas horas.",
    ),
    (
        "sequence_numbers",
        "Los znodes secuenciales de un mismo padre reciben números cada vez mayores, en el orden \
            de sus zxids.",
    ),
    (
        "session_ends_once",
        "Cada sesión termina exactamente una vez, con su último libro o al empezar de nuevo, y la \
            siguiente empieza después.",
    ),
    (
        "session_expiry",
        "Una sesión caduca solo cuando el líder no ha sabido nada de ella durante todo su plazo, y \
        entonces pronto.",
    ),
    (
        "session_zxid_monotone",
        "Los zxids de las respuestas a una sesión nunca disminuyen, las dé el servidor que las dé.",
    ),
    (
        "slew_rate_limited",
        "Entre dos rondas, un reloj que se ajusta poco a poco gana o pierde sobre su oscilador \
            como mucho lo que permite su ritmo.",
    ),
    (
        "state_machine_safety",
        "Todos los nodos aplican la misma entrada en cada índice, y llegan con ella al mismo \
            estado.",
    ),
    (
        "synchronisation_goes_on",
        "Cuando todo se ha recuperado, cada servidor termina una ronda al menos cada dos \
            intervalos.",
    ),
    ("term_monotonic", "El mandato de un nodo nunca disminuye, tampoco cuando vuelve a arrancar."),
    (
        "terms_stable",
        "Un tiempo después de que todo se recupere, el mandato más alto apenas aumenta.",
    ),
    ("utc_only_by_time_server", "Nadie salvo el servidor de tiempo pregunta a la fuente UTC."),
    (
        "view_acknowledged",
        "Con `sync-all` solo se asciende a miembros del conjunto sincronizado, y solo un líder \
            cambia el conjunto, al confirmar su vista.",
    ),
    (
        "vote_once",
        "Un nodo vota como mucho a un candidato por mandato, también cuando vuelve a arrancar.",
    ),
    (
        "watch_before_data",
        "Un cliente que vigila un znode se entera de su cambio antes de recibir respuesta alguna \
            de un estado que ya lo contiene.",
    ),
    (
        "watch_complete",
        "El cambio de lo que vigila un cliente se le comunica a tiempo, también si el cliente se \
            ha pasado a otro servidor.",
    ),
    (
        "watch_once",
        "A un cliente solo le avisa de un cambio una vigilancia (watch) que él ha puesto y que aún \
        no se ha disparado.",
    ),
    (
        "zab_one_leader_per_epoch",
        "En toda la ejecución se establece como mucho un líder por época.",
    ),
    (
        "zab_primary_integrity",
        "La historia de un líder recién establecido contiene toda transacción que para entonces ha \
            aplicado algún servidor.",
    ),
    (
        "zab_total_order",
        "Todos los servidores aplican las mismas transacciones en el mismo orden, cada una como la \
            propuso el líder establecido de su época.",
    ),
    (
        "zk_leader_elected",
        "Poco después de que todo se recupere hay un líder establecido, y todos los servidores lo \
            siguen.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each check has its rule in both languages, and there is no rule for a check that does not
    /// exist.
    #[test]
    fn each_check_has_its_rule_in_spanish() {
        let mut names: Vec<&str> =
            crate::systems::checks().iter().map(|checker| checker.name).collect();
        names.sort_unstable();
        names.dedup();
        let known: Vec<&str> = IN_SPANISH.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, names);
        for checker in crate::systems::checks().iter() {
            let es = rule(checker).es.unwrap_or_default();
            assert!(es.ends_with('.') && es != checker.summary, "{}", checker.name);
        }
    }
}
