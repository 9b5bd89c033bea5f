<?php

// Washes mails as Roundcube does before it shows them. The first argument is the folder of Roundcube. Standard input is a JSON array of
// HTML mails, standard output the array of the same mails as they stand in Roundcube's page (actions/mail/show.php, message_body).

/** What the washing asks of the application. It needs no database, no session and no mail server. */
final class rcmail
{
    public readonly object $output;

    public function __construct()
    {
        $this->output = new class {
            public function asset_url(string $path): string
            {
                return $path;
            }
        };
    }

    public static function get_instance(): self
    {
        return new self();
    }
}

$program = "{$argv[1]}/program";
require "$program/lib/Roundcube/bootstrap.php";
require 'Masterminds/HTML5/autoload.php';
require "$program/include/rcmail_action.php";
require "$program/actions/mail/index.php";

$container = 'message-htmlpart1';
$options = ['css_prefix' => 'v1', 'body_class' => 'rcmBody', 'container_id' => $container];
$washed = array_map(
    fn (string $html) => html::div(
        ['class' => 'message-htmlpart', 'id' => $container],
        rcmail_action_mail_index::wash_html($html, $options),
    ),
    json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR),
);
echo json_encode($washed, JSON_THROW_ON_ERROR);
