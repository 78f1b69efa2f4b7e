from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_users")]
    operations = [
        migrations.RunSQL("CREATE TABLE half (id integer PRIMARY KEY)"),
        migrations.RunSQL("CREATE UNIQUE INDEX one_post ON posts (user_id)"),
    ]
